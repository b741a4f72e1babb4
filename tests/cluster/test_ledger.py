"""What a crash is counted against: chance, another unit, a failed node, one row, a whole unit, the judge."""

from __future__ import annotations

from dlcot_ray.cluster.ledger.crash_rules import (
    MAX_NODE_LOSSES,
    Directive,
    WorkerCrash,
    directive_for,
    stop_reason,
)
from dlcot_ray.cluster.ledger.ledger import Ledger
from dlcot_ray.cluster.ledger.status import describe_in_flight
from dlcot_ray.cluster.ledger.unit_events import EventKind, Phase

ALIVE = {"n1", "n2"}
READING = Phase.READING


class Run:
    """A ledger with a clock and nodes of its own, and one judge slot whose process can crash."""

    def __init__(self, max_crashes: int = 3) -> None:
        self.now = 0.0
        self.alive = set(ALIVE)
        self.ledger = Ledger(max_crashes, lambda: self.alive, lambda: self.now)
        self.process = 0
        self.restart()

    def restart(self, node: str = "n1") -> Directive:
        self.process += 1
        return self.ledger.register_worker("slot", self.name, node)

    @property
    def name(self) -> str:
        return f"p{self.process}"

    def start(self, unit: str, exclusive: bool = False) -> Directive:
        return self.ledger.start_unit(unit, self.name, exclusive=exclusive)

    def finish(self, unit: str) -> None:
        self.ledger.finish_unit(unit, self.name)

    def start_row(self, unit: str, row: str) -> None:
        self.ledger.start_row(unit, self.name, row)

    def finish_row(self, unit: str, row: str) -> None:
        self.ledger.finish_row(unit, self.name, row)


def test_nothing_counts_against_a_unit_that_finishes() -> None:
    run = Run()
    assert run.start("u") == Directive()
    run.finish("u")
    run.restart()
    assert run.start("u") == Directive()


def test_a_poison_row_is_found_by_the_third_crash() -> None:
    run = Run()
    run.start("u")
    run.start("neighbour")
    run.restart()
    # Either unit may be the cause: each runs exclusively, and its rows are reported.
    assert run.start("neighbour").exclusive
    assert run.start("neighbour", exclusive=True) == Directive(exclusive=True)
    run.start_row("neighbour", "x")
    run.finish_row("neighbour", "x")
    run.finish("neighbour")
    assert run.start("u", exclusive=True).exclusive
    for row in ("a", "b", "c"):
        run.start_row("u", row)
    run.finish_row("u", "c")
    run.restart()
    assert run.start("u", exclusive=True) == Directive(exclusive=True, suspect_rows=frozenset("ab"))
    run.start_row("u", "a")
    run.finish_row("u", "a")
    run.start_row("u", "b")
    run.restart()
    directive = run.start("u", exclusive=True)
    assert directive.poison_rows == (("b", "it killed its judge 3 times"),)
    assert directive.suspect_rows == frozenset()
    run.finish("u")
    assert run.start("neighbour") == Directive()


def test_a_unit_that_crashes_outside_its_rows_is_quarantined() -> None:
    run = Run()
    for _ in range(3):
        assert not run.start("u", exclusive=True).quarantine
        run.ledger.record_last_message(run.name, "the engine died")
        run.restart()
    assert run.start("u").quarantine == "it killed its worker 3 times (the engine died)"
    assert not run.start("v").quarantine


def test_many_poison_rows_cost_a_bounded_number_of_processes() -> None:
    run, crashes, poison_rows = Run(), 0, 0
    while not (directive := run.start("u", exclusive=True)).quarantine:
        poison_rows = len(directive.poison_rows)
        run.start_row("u", f"row {poison_rows}")
        run.restart()
        crashes += 1
    assert crashes == 9
    assert poison_rows == 3


def test_a_node_failure_does_not_count_until_a_unit_was_on_ten_failed_nodes() -> None:
    run = Run()
    for loss in range(MAX_NODE_LOSSES):
        assert run.start("u") == Directive()
        run.alive = {f"n{loss + 2}"}
        run.restart(f"n{loss + 2}")
    assert "10 nodes" in run.start("u").quarantine


def test_a_node_that_is_found_dead_only_later_was_the_cause_still() -> None:
    crashes = [WorkerCrash("gone"), WorkerCrash("n1", frozenset("a"))]
    assert not directive_for(crashes, (), {"n1"}, 1).quarantine
    assert directive_for(crashes, (), {"n1", "gone"}, 1).quarantine


def test_the_job_stops_where_the_judge_crashes_over_every_unit() -> None:
    run = Run()
    reason = ""
    for number in range(100):
        directive = run.restart()
        if directive.stop_job:
            reason = directive.stop_job
            break
        run.start(f"u{number}")
    assert reason == "13 worker processes crashed and no unit was finished in between"
    run = Run()
    while not run.restart().stop_job:
        assert run.process < 10
    assert "before they took a unit" in run.start("u").stop_job


def test_the_job_stops_only_above_both_limits_of_crashes() -> None:
    crash = WorkerCrash("n1", message="no memory")
    assert not stop_reason([crash] * 4, [crash] * 13, judges=2, max_crashes=3)
    said = stop_reason([crash] * 5, [], judges=2, max_crashes=3)
    assert said == "5 worker processes crashed before they took a unit or between units (no memory)"
    assert stop_reason([], [crash] * 14, judges=2, max_crashes=3).startswith("14 worker processes")


def test_a_task_that_crashes_its_worker_is_quarantined_too() -> None:
    run = Run()
    for number in range(3):
        assert not run.ledger.start_task(READING, "u", f"t{number}", "n1").quarantine
    assert "3 times" in run.ledger.start_task(READING, "u", "t3", "n1").quarantine
    assert not run.ledger.start_task(READING, "v", "t4", "n1").quarantine
    run.ledger.finish_task(READING, "v")
    assert not run.ledger.start_task(READING, "v", "t5", "n1").quarantine
    run.ledger.finish_task(READING, "v")
    assert run.ledger.status().in_flight == ()


def test_the_status_shows_what_is_in_flight_and_what_is_lost() -> None:
    run = Run()
    run.ledger.register_worker("other", "q", "n2")
    run.start("u", exclusive=True)
    run.start_row("u", "a")
    run.now = 70.0
    run.ledger.start_unit("v", "q")
    run.now = 100.0
    status = run.ledger.status()
    assert (status.judges, status.lost_judges, status.idle_s) == (2, 0, 30.0)
    assert describe_in_flight(status.in_flight) == "u for 100 s (row a), v for 30 s"
    assert describe_in_flight(status.in_flight, shown=1) == "u for 100 s (row a) and 1 more"
    run.alive = {"n1"}
    status = run.ledger.status()
    assert (status.judges, status.lost_judges) == (1, 1)
    assert [item.unit for item in status.in_flight] == ["u"]
    run.ledger.forget_workers()
    assert run.ledger.status().in_flight == ()
    assert describe_in_flight(()) == "none"


def test_crashes_and_quarantines_are_events_once() -> None:
    run = Run(max_crashes=2)
    run.start("u")
    run.restart()
    run.start("u", exclusive=True)
    run.start_row("u", "x")
    run.restart()
    assert dict(run.start("u", exclusive=True).poison_rows).keys() == {"x"}
    assert dict(run.start("u", exclusive=True).poison_rows).keys() == {"x"}
    run.ledger.start_task(READING, "v", "t0", "n1")
    run.ledger.start_task(READING, "v", "t1", "n1")
    run.alive = {"n2"}
    run.restart("n2")
    events = run.ledger.status().events
    requeued = [
        (item.phase, item.unit, item.attempt, item.cause)
        for item in events
        if item.kind is EventKind.UNIT_REQUEUED
    ]
    crashed, lost = "its worker crashed", "its node was lost"
    assert requeued == [
        (Phase.JUDGING, "u", 1, crashed),
        (Phase.JUDGING, "u", 2, crashed),
        (Phase.READING, "v", 1, crashed),
        (Phase.JUDGING, "u", 3, lost),
    ]
    (row,) = [item for item in events if item.kind is EventKind.ROW_QUARANTINED]
    assert (row.unit, row.row, row.cause) == ("u", "x", "it killed its judge 2 times")
    starts = [item.attempt for item in events if item.kind is EventKind.UNIT_STARTED]
    assert starts == [1, 2, 3, 3]
