"""Writes the report of an output: `report.html` beside its units, or any other place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dlcot_ray.errors import reason_of
from dlcot_ray.outputs.layout import PAGE_FILE, Output
from dlcot_ray.outputs.owning.marks import may_replace
from dlcot_ray.report.page import page
from dlcot_ray.report.payload import TEXT_BYTES, make_payload
from dlcot_ray.report.sampling import MOST_ROWS
from dlcot_ray.report.stored import StoredOutput
from dlcot_ray.storage.urls import is_local


def report_page(
    output: Output,
    *,
    seed: int = 0,
    rows: int = MOST_ROWS,
    text_bytes: int = TEXT_BYTES,
    by: Sequence[str] = (),
    units: Iterable[str] | None = None,
) -> bytes:
    """The report as HTML; the arguments are those of `make_payload`.

    Raises:
        JobError, InputFault: the output cannot be read.
    """
    stored = StoredOutput(output)
    return page(make_payload(stored, seed=seed, rows=rows, text_bytes=text_bytes, by=by, units=units))


def write_report(output: Output, units: Iterable[str] | None = None) -> str:
    """Write `report.html` into an output at the end of a job; the line that tells where it is, or why not.

    The job is done when this is called, so whatever goes wrong costs the report only.

    Args:
        output: the output of the job.
        units: names of complete units to draw from, where they are known without a LIST.
    """
    try:
        if not may_replace(output, PAGE_FILE):
            return f"report: not written, because {place_of(output)} is somebody else's"
        output.store.put(PAGE_FILE, report_page(output, units=units))
    except Exception as error:
        return f"report: not written ({reason_of(error)}); try: dlcot report {output.display_url}"
    return f"report: {place_of(output)}"


def place_of(output: Output) -> str:
    """Where the report of an output is, as a person opens it: a path, or a URL."""
    url = output.store.url(PAGE_FILE)
    return str(Path(url)) if is_local(url) else url
