"""The CAS helper: right, bounded in time, and gone when its parent is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import psutil

from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.judging.equivalence import MEMORY_BYTES, AnswerChecker, Verdict


def test_symbolic_answers_are_compared() -> None:
    with AnswerChecker(timeout_seconds=20) as checker:
        assert checker.equivalent("x+1", "1+x")
        assert checker.equivalent("\\frac{\\sqrt{2}}{2}", "\\frac{1}{\\sqrt{2}}")
        assert checker.verdict("x+1", "x+2") is Verdict.DIFFERENT


def test_after_hostile_answers_the_checker_still_works() -> None:
    with AnswerChecker(timeout_seconds=1) as checker:
        for hostile in ("9^{9^{9^{9}}}", "10**10**10**10", "\\frac{" * 500, "{" * 4000, "\x00"):
            assert checker.verdict(hostile, "x+1") is not Verdict.EQUAL
        assert checker.equivalent("2x", "x*2") or checker.equivalent("y+x", "x+y")


def test_an_answer_that_takes_too_long_is_a_time_out() -> None:
    with AnswerChecker(timeout_seconds=0.2) as checker:
        assert checker.verdict("\\lfloor \\pi 10^{90000000} \\rfloor", "x+1") is Verdict.TIMEOUT
        assert checker.equivalent("x+1", "1+x")


def test_a_helper_without_cpu_time_is_not_timed_out() -> None:
    with AnswerChecker(timeout_seconds=0.5) as checker:
        assert checker.equivalent("x+1", "1+x")
        (helper,) = [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]
        helper.suspend()
        threading.Timer(1.5, helper.resume).start()
        assert checker.equivalent("y+x+3", "3+x+y")


def test_the_helper_has_a_limit_of_memory_and_leaves_no_core_file() -> None:
    with AnswerChecker(timeout_seconds=20) as checker:
        assert checker.equivalent("x+1", "1+x")
        (helper,) = [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]
        assert helper.rlimit(psutil.RLIMIT_AS) == (MEMORY_BYTES, MEMORY_BYTES)
        assert helper.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert helper.memory_info().vms < MEMORY_BYTES / 4


def test_no_answer_is_run_as_code(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    call = f"__import__('pathlib').Path('{mark}').touch()"
    with AnswerChecker(timeout_seconds=2) as checker:
        for answer in (
            call,
            f"1+{call}",
            f"({call})",
            f"$({call})$",
            f"\\boxed{{{call}}}",
            f"eval({call!r})",
        ):
            assert not checker.equivalent(answer, "x+1")
            assert not checker.equivalent("x+1", answer)
    assert not mark.exists()


def test_the_helper_dies_with_a_killed_parent() -> None:
    code = (
        "import psutil, time\n"
        "from dlcot_ray.judging.equivalence import AnswerChecker\n"
        "c = AnswerChecker(20); c.equivalent('x+1', '1+x')\n"
        "print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        helpers = [int(pid) for pid in parent.stdout.readline().split()]
        assert helpers
        parent.kill()
    deadline = time.monotonic() + 20
    while any(map(_alive, helpers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_alive, helpers))


def test_close_leaves_no_process() -> None:
    checker = AnswerChecker(timeout_seconds=20)
    checker.equivalent("x+1", "1+x")
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    checker.close()
    checker.close()
    after = {p.pid for p in psutil.Process().children(recursive=True)}
    assert before - after


def test_labelled_pairs(shared_data: Path) -> None:
    pairs = pl.read_parquet(shared_data / "labels" / "answer_equivalence_dev.parquet")
    with AnswerChecker(timeout_seconds=5) as checker:
        right = sum(
            checker.equivalent(str(row["pred"]), str(row["gold"])) == bool(row["equivalent"])
            for row in pairs.iter_rows(named=True)
        )
    assert right / len(pairs) >= 0.95


def test_results_without_a_cas_are_never_wrong(shared_data: Path) -> None:
    pairs = pl.read_parquet(shared_data / "labels" / "answer_equivalence_dev.parquet")
    verdicts = [
        (
            row["pred"],
            row["gold"],
            bool(row["equivalent"]),
            quick_equivalent(str(row["pred"]), str(row["gold"])),
        )
        for row in pairs.iter_rows(named=True)
    ]
    decided = [verdict for verdict in verdicts if verdict[3] is not None]
    assert len(decided) >= 60
    assert [verdict for verdict in decided if verdict[2] is not verdict[3]] == []


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
