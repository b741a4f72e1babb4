"""A job without Ray: its functions in one plain loop, to compare other runs with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from dlcot_ray.commands.enhance import prepare_enhance
from dlcot_ray.config.loading import load_enhance
from dlcot_ray.outputs.job_record import InputRecord
from dlcot_ray.plan.duplicate_ids import find_duplicates
from dlcot_ray.plan.pending import Pending
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.writing import write_unit


def run_without_ray(words: Sequence[str]) -> None:
    """Write the data objects of `dlcot enhance` with these settings.

    `test_run.py` and `benchmarks/ray_job.py` check that the job writes the same bytes.
    """
    job = prepare_enhance(load_enhance(list(words)))
    shards = zip(job.plan.shards, np.diff(job.plan.file_rows).tolist(), strict=True)
    inputs = [InputRecord(item.file, item.name, rows, item.size, item.version) for item, rows in shards]
    job.claim.write(job.record.with_inputs(inputs))
    nothing = np.zeros(job.plan.unit_count, np.bool_)
    pending = Pending(job.plan, nothing, None, find_duplicates(job.plan.files, job.options))
    processor = Processor(job.spec)

    async def loop() -> None:
        for task in pending:
            for read in read_units(task, job.spec):
                result = write_unit(read.task, await processor(read), job.output, job.spec)
                assert result.error == ""

    asyncio.run(loop())
    processor.close()
    job.claim.close()
