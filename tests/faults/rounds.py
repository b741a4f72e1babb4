"""Kill parts of running jobs at seeded moments, on a cluster of three Ray nodes, and audit the outputs.

    python tests/faults/rounds.py --rounds 20 --seed 1

One cluster of real Ray nodes on this machine (a head for the driver, two nodes with one judge each) serves
all rounds. Each fault is one round; a job gets one or several. After its faults the job is run again until it
is complete, and compared with an undisturbed run:

- lost, duplicated: rows by id, input against `enhanced/` and `rejected/`;
- differing: data objects that are not byte for byte those of the undisturbed run;
- leftovers: temporary files that are left after the last run;
- redone: units that judges started more than once (faulty_judge.py logs each trace that it starts);
- in flight: units that were started and whose object was not listed when a fault was injected. For a node it
  counts those not listed half a second earlier, because units that its writer had not reported are lost with
  it. There may not be more units redone than were in flight.

Three kinds are odd by themselves (odd_jobs.py): hostile traces among the rows while a judge is killed; a row
that never ends, which is rejected, and all other rows are as without it; and a second job with other settings
into the same output, of which one is refused.

It prints one line for each job to stderr and a Markdown table to stdout. The exit status is 1 if a job failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
# Before Ray is imported anywhere: nodes, workers and drivers of one cluster have to agree.
os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_BACKEND_LOG_LEVEL="fatal",
    # A node of a busy machine may answer late.
    RAY_health_check_timeout_ms="30000",
    # As `start_ray` sets it: idle processes are kept, so that a round starts few.
    RAY_idle_worker_killing_time_threshold_ms="600000",
    PYTHONPATH=str(REPO),
)
sys.path.insert(0, str(REPO))

from dlcot_ray.cluster import supervision  # noqa: E402
from tests.faults.audit import FaultReport  # noqa: E402
from tests.faults.inject import (  # noqa: E402
    FAULTS_PER_JOB,
    KILLS,
    STORES,
    run_with_kills,
    run_with_store_faults,
)
from tests.faults.odd_jobs import ODD, run_odd  # noqa: E402
from tests.faults.testbed import Testbed  # noqa: E402
from tests.support.fault_cluster import FaultCluster, autoscaler  # noqa: E402
from tests.support.faulty_proxy import faulty  # noqa: E402
from tests.support.seaweed import seaweed  # noqa: E402

FAULTS = (*KILLS, *STORES, *ODD)


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="least number of rounds of each fault")
    parser.add_argument("--seed", type=int, default=1, help="of the first jobs; each later one adds 1")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one (repeatable)")
    parser.add_argument("--shards", type=int, default=4, help="size of the input, in shards of 48 rows")
    parser.add_argument("--json", type=Path, help="also write the reports to this file")
    chosen = parser.parse_args()
    # On this machine a node that is replaced is there sooner than 45 s.
    supervision.LOST_JUDGE_S = 5.0
    folder = Path(tempfile.mkdtemp(prefix="dlcot-faults-"))
    reports: list[FaultReport] = []
    left = dict.fromkeys(chosen.fault or FAULTS, chosen.rounds)
    seed = chosen.seed
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        proxy = stack.enter_context(faulty(stack.enter_context(seaweed(folder / "s3"))))
        # The nodes, which start next, and the drivers find the bucket by these variables.
        os.environ.update(proxy.server.environment())
        cluster = FaultCluster()
        stack.callback(cluster.stop)
        bed = Testbed(folder, chosen.shards, cluster, proxy)
        while any(count > 0 for count in left.values()):
            for fault in [fault for fault, count in left.items() if count > 0]:
                if fault in STORES:
                    report = run_with_store_faults(fault, seed, bed)
                elif fault in ODD:
                    report = run_odd(fault, seed, bed)
                else:
                    with autoscaler(cluster, fault == "node, replaced"):
                        count = min(left[fault], FAULTS_PER_JOB.get(fault, 1))
                        report = run_with_kills(fault, seed, count, bed)
                reports.append(report)
                left[fault] -= max(1, len(report.injected))
                verdict = "; ".join(report.problems) or "ok"
                print(
                    f"{fault} {seed}: {', '.join(report.injected)}: {report.redone} redone of "
                    f"{report.in_flight} in flight, {report.seconds:.1f} s: {verdict}",
                    file=sys.stderr,
                    flush=True,
                )
                if chosen.json:
                    chosen.json.write_text(json.dumps([vars(item) for item in reports]))
            seed += 1
    print(table(reports))
    return 1 if any(item.problems for item in reports) else 0


def table(reports: list[FaultReport]) -> str:
    """The reports summed up by fault, as a Markdown table."""
    lines = [
        "| fault | rounds | rows lost | rows duplicated | objects that differ | leftover files | units redone "
        "| in flight | failed jobs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = ("lost", "duplicated", "differing", "leftovers", "redone", "in_flight")
    for fault in FAULTS:
        mine = [item for item in reports if item.fault == fault]
        if mine:
            rounds = sum(len(item.injected) for item in mine)
            figures = [sum(getattr(item, name) for item in mine) for name in names]
            failed = sum(bool(item.problems) for item in mine)
            lines.append(f"| {fault} | {rounds} | " + " | ".join(map(str, [*figures, failed])) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
