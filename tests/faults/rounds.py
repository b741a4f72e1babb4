"""Kill parts of a running job at seeded moments on a cluster of three Ray nodes, and audit what comes out.

    python tests/faults/rounds.py --rounds 20 --seed 1

One cluster of real Ray nodes on this machine (a head for the driver, two nodes with one judge each) serves
all rounds. A job runs on empty ground and is struck some times on its way, each strike a round, at moments that
the seed decides; then it is run again to its end, and compared with an undisturbed run:

- lost, duplicated: rows by id, input against `enhanced/` and `rejected/`;
- differing: data objects that are not byte for byte those of the undisturbed run;
- strays: temporary files left behind after the last run;
- redone: units that judges began more than once (the judge notes each trace it begins, see faulty_judge.py);
- in flight: units begun whose object was not listed yet when a fault struck; where a node is lost, not listed
  half a second before, because what its writer had not reported yet is lost with it. Redone may not exceed it.

It prints one line a job to stderr, a Markdown table to stdout, and ends with status 1 where something failed.
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
    # A busy machine is no dead node.
    RAY_health_check_timeout_ms="30000",
    # As a job on a Ray of its own sets it: processes that idle are kept, so a round starts few.
    RAY_idle_worker_killing_time_threshold_ms="600000",
    PYTHONPATH=str(REPO),
)
sys.path.insert(0, str(REPO))

from dlcot_ray.cluster import supervision  # noqa: E402
from tests.faults.ground import Ground  # noqa: E402
from tests.faults.strikes import FAULTS, STORES, STRIKES, play, play_store  # noqa: E402
from tests.faults.struck import Struck  # noqa: E402
from tests.support.fault_cluster import FaultCluster, autoscaler  # noqa: E402
from tests.support.faulty_proxy import faulty  # noqa: E402
from tests.support.seaweed import seaweed  # noqa: E402


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="of each fault, at least")
    parser.add_argument("--seed", type=int, default=1, help="of the first job; the next ones count on")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one (repeatable)")
    parser.add_argument("--json", type=Path, help="also write every job here")
    chosen = parser.parse_args()
    # On this machine a node that is replaced is there sooner than 45 s.
    supervision.LOST_JUDGE_S = 5.0
    folder = Path(tempfile.mkdtemp(prefix="dlcot-faults-"))
    jobs: list[Struck] = []
    left = dict.fromkeys(chosen.fault or FAULTS, chosen.rounds)
    seed = chosen.seed
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        proxy = stack.enter_context(faulty(stack.enter_context(seaweed(folder / "s3"))))
        # Where the nodes, started next, and the drivers find the bucket.
        os.environ.update(proxy.server.environment())
        cluster = FaultCluster()
        stack.callback(cluster.stop)
        ground = Ground(folder, cluster, proxy)
        while any(count > 0 for count in left.values()):
            for fault in [fault for fault, count in left.items() if count > 0]:
                if fault in STORES:
                    found = play_store(fault, seed, ground)
                else:
                    with autoscaler(cluster, fault == "node, replaced"):
                        found = play(fault, seed, min(left[fault], STRIKES.get(fault, 1)), ground)
                jobs.append(found)
                left[fault] -= max(1, len(found.notes))
                verdict = "; ".join(found.problems) or "ok"
                print(
                    f"{fault} {seed}: {', '.join(found.notes)}: {found.redone} redone of {found.in_flight} "
                    f"in flight, {found.seconds:.1f} s: {verdict}",
                    file=sys.stderr,
                    flush=True,
                )
                if chosen.json:
                    chosen.json.write_text(json.dumps([vars(item) for item in jobs]))
            seed += 1
    print(table(jobs))
    return 1 if any(item.problems for item in jobs) else 0


def table(jobs: list[Struck]) -> str:
    """The jobs by fault, as Markdown."""
    lines = [
        "| fault | rounds | rows lost | rows doubled | objects that differ | stray files | units redone "
        "| in flight | failed jobs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = ("lost", "duplicated", "differing", "strays", "redone", "in_flight")
    for fault in FAULTS:
        mine = [item for item in jobs if item.fault == fault]
        if mine:
            rounds = sum(len(item.notes) for item in mine)
            figures = [sum(getattr(item, name) for item in mine) for name in names]
            failed = sum(bool(item.problems) for item in mine)
            lines.append(f"| {fault} | {rounds} | " + " | ".join(map(str, [*figures, failed])) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
