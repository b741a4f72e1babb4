"""`dlcot report`: writes the page that shows an output: counts, plots, traces before and after."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.viewing.options import Options, output_of
from dlcot_ray.errors import ConfigError, JobError, reason_of
from dlcot_ray.outputs.layout import PAGE_FILE, Output
from dlcot_ray.outputs.owning.marks import may_replace
from dlcot_ray.report.payload import TEXT_BYTES
from dlcot_ray.report.sampling import MOST_ROWS
from dlcot_ray.report.writing import place_of, report_page
from dlcot_ray.terminal import tell


def main(words: Sequence[str]) -> int:
    """Run `dlcot report` with its command-line arguments; returns the exit status.

    Raises:
        JobError, InputFault: the output cannot be read, or the page cannot be written.
        ConfigError: an option cannot be used.
    """
    parser = Options("report", "write a page that shows an output; open it in a browser")
    parser.add_argument(
        "--file", help="where to write it (default: OUT/report.html; elsewhere: a local path)"
    )
    parser.add_argument("--by", default="", metavar="COLUMN,...", help="columns of the input to group by")
    parser.add_argument("--rows", type=int, default=MOST_ROWS, help=f"sampled rows (default: {MOST_ROWS})")
    parser.add_argument(
        "--text-mb",
        type=float,
        default=TEXT_BYTES / 1e6,
        help=f"texts of traces in the page, in MB (default: {TEXT_BYTES / 1e6:g})",
    )
    parser.add_argument("--seed", type=int, default=0, help="which sample (default: 0)")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    given = parser.read(words)
    if given is None:
        return 0
    if given.rows < 1 or given.text_mb < 0:
        raise ConfigError("--rows is at least 1 and --text-mb at least 0", "give larger numbers")
    output = output_of(given)
    by = [name.strip() for name in given.by.split(",") if name.strip()]
    made = report_page(output, seed=given.seed, rows=given.rows, text_bytes=int(given.text_mb * 1e6), by=by)
    place = _write(output, made, given.file)
    tell(f"report: {place} ({len(made) / 1e6:.1f} MB)")
    if given.open:
        webbrowser.open(Path(place).resolve().as_uri() if "://" not in place else place)
    return Exit.OK


def _write(output: Output, made: bytes, file: str | None) -> str:
    if file is None:
        if not may_replace(output, PAGE_FILE):
            raise JobError(f"{place_of(output)} is somebody else's", "choose another place: --file")
        output.store.put(PAGE_FILE, made)
        return place_of(output)
    try:
        Path(file).expanduser().write_bytes(made)
    except OSError as error:
        raise JobError(f"cannot write {file} ({reason_of(error)})", "choose another --file") from error
    return file
