"""What the names in a listing mean: an input file, something to leave out and why, or a table format.

Nothing is left out without a reason, because the summary, the manifest and `dlcot plan` name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.readers.registry import suffix_of

_JOB_RECORD = "_job.json"
"""What an output of dlcot holds at its root."""
NO_ROWS = "it has no rows"
_OF_DATASETS = frozenset(("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"))
_CACHE_OF_DATASETS = re.compile(r"cache-[0-9a-f]{16}[\w-]*\.arrow")
_TABLE_FORMATS = (
    ("Delta", re.compile(r"(?:^|/)_delta_log/")),
    ("Hudi", re.compile(r"(?:^|/)\.hoodie/")),
    ("Iceberg", re.compile(r"(?:^|/)metadata/[^/]+\.metadata\.json$")),
)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder below an input that is not read.

    Attributes:
        file: its full name, without credentials.
        reason: a sentence about it.
    """

    file: str
    reason: str


def skip_reason(relative: str, *, by_glob: bool = False) -> str:
    """Why the object of this name is no input file; empty if it is one.

    Args:
        relative: its name below the input.
        by_glob: a glob names it, so its suffix does not matter.
    """
    *folders, name = PurePosixPath(relative).parts
    for part in folders:
        if part.startswith("."):
            return f"the folder {part} is hidden"
        # `_year=2024` is a partition, `_temporary` is not.
        if part.startswith("_") and "=" not in part:
            return f"the name of the folder {part} begins with _"
    if name.startswith("."):
        return "it is hidden"
    if name.startswith("_"):
        return "its name begins with _"
    if name in _OF_DATASETS:
        return "it describes a data set of the datasets library"
    if _CACHE_OF_DATASETS.fullmatch(name):
        return "it is a cache of the datasets library"
    if not by_glob and suffix_of(name) is None:
        return "no format has its suffix"
    return ""


def check_no_table_format(place: str, names: Iterable[str], inputs: Sequence[str]) -> None:
    """Refuse folders whose files alone are not the table: some of their rows are deleted or replaced.

    Args:
        place: the input, for messages.
        names: all names below it.
        inputs: those that would be read.

    Raises:
        JobError: an input file lies in a Delta, Hudi or Iceberg table.
    """
    found = ((kind, pattern.search(name), name) for name in names for kind, pattern in _TABLE_FORMATS)
    tables = {(kind, name[: match.start()]) for kind, match, name in found if match is not None}
    for kind, root in sorted(tables):
        if any(not root or file.startswith(f"{root}/") for file in inputs):
            raise JobError(
                f"{f'{place}/{root}'.rstrip('/')} is a table of {kind}, whose files also hold deleted rows",
                "export it to Parquet with its own library, and give that folder",
            )


def check_no_output(place: str, names: Iterable[str], inputs: Sequence[str]) -> None:
    """Refuse the folder of a whole output: it holds rows, annotations and samples of the same traces.

    Args:
        place: the input, for messages.
        names: all names below it.
        inputs: those that would be read.

    Raises:
        JobError: input files lie in several folders of an output of dlcot.
    """
    roots = {name.removesuffix(_JOB_RECORD) for name in names if f"/{name}".endswith(f"/{_JOB_RECORD}")}
    for root in sorted(roots):
        parts = {file[len(root) :].split("/")[0] for file in inputs if file.startswith(root)}
        if len(parts) > 1 and "enhanced" in parts:
            output = f"{place}/{root}".rstrip("/")
            raise JobError(
                f"{output} is an output of dlcot, not traces",
                f"give the input that it was made of, or {output}/enhanced for its rows",
            )


def may_match(folder: str, pattern: Sequence[str]) -> bool:
    """Whether a name below `folder` may match a glob, given as its parts."""
    for number, part in enumerate(PurePosixPath(folder).parts):
        if number >= len(pattern) - 1:
            return "**" in pattern
        if pattern[number] == "**":
            return True
        if not fnmatchcase(part, pattern[number]):
            return False
    return True
