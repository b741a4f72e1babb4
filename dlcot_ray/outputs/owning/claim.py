"""A job takes an output: by a lease while it runs, and by `_job.json` for good.

Both are written by compare-and-swap before anything else, so of two jobs with different settings that start
at once one gets the output and the other ends before it writes. Jobs of the same settings may share it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from types import TracebackType

from dlcot_ray.errors import JobError
from dlcot_ray.outputs.job_record import JobRecord, first_difference
from dlcot_ray.outputs.layout import CARD_FILE, FOLDERS, JOB_FILE, Output
from dlcot_ray.outputs.owning.lease import LEASE_FILE, Lease
from dlcot_ray.outputs.owning.marks import clear, foreign_files
from dlcot_ray.storage.urls import is_hub

LEASE_S = 300.0
"""Seconds without a renewal after which the lease of a job expires."""
_HUB_LEASE_S = 3600.0
"""The same on the Hugging Face hub, where each renewal is a commit."""
_ATTEMPTS = 5
"""How often `_job.json` is read again after another job of the same settings changed it."""


class Claim:
    """An output that is held for one job: a context manager that releases it.

    A job that ends before `write` leaves nothing of the claim behind.

    Attributes:
        output: what is held.
        record: the job as it was recorded by earlier runs, or as it starts.
    """

    def __init__(self, output: Output, lease: Lease, job: JobRecord, *, overwrite: bool) -> None:
        self.output = output
        self._lease = lease
        self._is_written = False
        self._version: str | None
        self._is_new, self.record, self._version = _take(output, job, overwrite=overwrite)

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, record: JobRecord) -> None:
        """Replace `_job.json`, before the first unit.

        Raises:
            JobError: another job took the output, or planned other inputs at the same time.
        """
        for _ in range(_ATTEMPTS):
            written = self.output.store.compare_and_swap(JOB_FILE, record.to_json(), self._version)
            if written is not None:
                self._version, self._is_written = written, True
                return
            found, self._version = self.output.record_versioned()
            if found is None or found.fingerprint != record.fingerprint:
                break
            _check_same_inputs(self.output, found, record)
            record = replace(record, inputs=found.with_inputs(record.inputs).inputs)
        raise JobError(
            f"another job took {self.output.display_url} meanwhile", "choose another output, or run again"
        )

    def check(self) -> None:
        """Make sure that no job with other settings took the output.

        Raises:
            JobError: one did.
        """
        self._lease.check_taken()

    def close(self) -> None:
        """Release the output. Safe to call twice."""
        unused = self._is_new and not self._is_written
        self._is_new = False
        if unused and self._lease.is_only_ours:
            # What cannot be removed now is a claim without inputs, which the next job may replace.
            with suppress(JobError):
                self._remove()
        self._lease.__exit__(None, None, None)

    def _remove(self) -> None:
        store = self.output.store
        found = store.read_versioned(JOB_FILE)
        if found is not None and found.version == self._version:
            store.delete(JOB_FILE)
            self._lease.__exit__(None, None, None)
            store.delete(LEASE_FILE)


def claim(output: Output, job: JobRecord, *, overwrite: bool = False, lease_s: float = LEASE_S) -> Claim:
    """Claim an output: it must be empty or of the same job, or is cleared.

    Args:
        output: where the job writes.
        job: the job that starts.
        overwrite: clear an output that has a record.
        lease_s: seconds without a renewal after which another job may take over.

    Raises:
        Busy: another job writes there now.
        JobError: the output belongs to another job or holds files of others.
    """
    if is_hub(output.store.given_url):
        lease_s = max(lease_s, _HUB_LEASE_S)
    lease = Lease(output.store, job.command, lease_s, job=job.fingerprint, alone=overwrite)
    _refuse_foreign(output, is_first=output.record() is None)
    lease.__enter__()
    try:
        return Claim(output, lease, job, overwrite=overwrite)
    except BaseException:
        lease.__exit__(None, None, None)
        raise


def _take(output: Output, job: JobRecord, *, overwrite: bool) -> tuple[bool, JobRecord, str]:
    """Write `_job.json` unless this job is recorded there.

    Returns:
        Whether the record is new, the job as recorded, and the version of the record.
    """
    for _ in range(_ATTEMPTS):
        found, version = output.record_versioned()
        if found is not None and not overwrite and found.inputs:
            _check_same_job(output, found, job)
            return False, replace(found, config=job.config), version or ""
        if overwrite and found is not None:
            clear(output, record=False)
        # A record without inputs is that of a job which ended before it wrote anything.
        written = output.store.compare_and_swap(JOB_FILE, job.to_json(), version)
        if written is not None:
            return True, job, written
    raise JobError(f"other jobs take {output.display_url} all the time", "choose another output")


def _refuse_foreign(output: Output, *, is_first: bool) -> None:
    """Refuse an output that holds files of others under names which this job would write."""
    foreign = foreign_files(output)
    if not is_first:
        # A card that was edited is kept.
        foreign = [name for name in foreign if name != CARD_FILE]
    if foreign:
        raise JobError(
            f"{output.display_url} holds {' and '.join(foreign)}, which dlcot did not write",
            "choose another output, such as a new directory",
        )
    folder = next((f for f in FOLDERS if next(output.store.scan(f), None) is not None), None)
    if is_first and folder is not None:
        raise JobError(
            f"{output.display_url} holds {folder}/ but no {JOB_FILE}: another program's files",
            "choose another output",
        )


def _check_same_job(output: Output, found: JobRecord, job: JobRecord) -> None:
    difference = first_difference(found, job)
    if difference:
        raise JobError(
            f"{output.display_url} holds another job's results ({difference})",
            "choose another output, or set overwrite=true to remove them",
        )


def _check_same_inputs(output: Output, there: JobRecord, here: JobRecord) -> None:
    known = {item.file: item for item in there.inputs}
    for item in here.inputs:
        if known.get(item.file, item) != item:
            raise JobError(
                f"another run that writes to {output.display_url} planned another {item.file}",
                "wait until it ends, then run again",
            )
