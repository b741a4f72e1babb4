"""Whom a death is blamed on: chance, a neighbour, a lost node, one row, a whole unit, the judge itself."""

from __future__ import annotations

from dlcot_ray.cluster.ledger import MAX_NODE_LOSSES, Death, Ledger, Order, decide, longest
from dlcot_ray.cluster.unit_events import EventKind, Phase

ALIVE = {"n1", "n2"}


class Run:
    """A ledger with a clock and nodes of our own, and one judge slot whose process can be killed."""

    def __init__(self, max_deaths: int = 3) -> None:
        self.now = 0.0
        self.alive = set(ALIVE)
        self.ledger = Ledger(max_deaths, lambda: self.alive, lambda: self.now)
        self.process = 0
        self.restart()

    def restart(self, node: str = "n1") -> Order:
        self.process += 1
        return self.ledger.enrol("slot", self.name, node)

    @property
    def name(self) -> str:
        return f"p{self.process}"

    def begin(self, unit: str, alone: bool = False) -> Order:
        return self.ledger.begin(unit, self.name, alone=alone)

    def row(self, unit: str, row: str, begins: bool = True) -> None:
        self.ledger.row(unit, self.name, row, begins=begins)


def test_a_unit_that_finishes_is_blamed_for_nothing() -> None:
    run = Run()
    assert run.begin("u") == Order()
    run.ledger.end("u", run.name)
    run.restart()
    assert run.begin("u") == Order()


def test_a_row_that_kills_names_itself_by_the_third_death() -> None:
    run = Run()
    run.begin("u")
    run.begin("neighbour")
    run.restart()
    # Not clear yet which of the two it was: each is tried alone, row by row.
    assert run.begin("neighbour").alone
    assert run.begin("neighbour", alone=True) == Order(alone=True)
    run.row("neighbour", "x")
    run.row("neighbour", "x", begins=False)
    run.ledger.end("neighbour", run.name)
    assert run.begin("u", alone=True).alone
    for row in ("a", "b", "c"):
        run.row("u", row)
    run.row("u", "c", begins=False)
    run.restart()
    assert run.begin("u", alone=True) == Order(alone=True, suspects=frozenset("ab"))
    run.row("u", "a")
    run.row("u", "a", begins=False)
    run.row("u", "b")
    run.restart()
    order = run.begin("u", alone=True)
    assert order.condemned == (("b", "it killed its judge 3 times"),)
    assert order.suspects == frozenset()
    run.ledger.end("u", run.name)
    assert run.begin("neighbour") == Order()


def test_a_unit_that_kills_outside_its_rows_is_given_up() -> None:
    run = Run()
    for _ in range(3):
        assert not run.begin("u", alone=True).give_up
        run.ledger.note(run.name, "the engine died")
        run.restart()
    assert run.begin("u").give_up == "it killed its worker 3 times (the engine died)"
    assert not run.begin("v").give_up


def test_many_rows_that_kill_cost_a_bounded_number_of_processes() -> None:
    run, deaths, condemned = Run(), 0, 0
    while not (order := run.begin("u", alone=True)).give_up:
        condemned = len(order.condemned)
        run.row("u", f"row {condemned}")
        run.restart()
        deaths += 1
    assert deaths == 9
    assert condemned == 3


def test_lost_nodes_blame_nobody_until_they_are_many() -> None:
    run = Run()
    for loss in range(MAX_NODE_LOSSES):
        assert run.begin("u") == Order()
        run.alive = {f"n{loss + 2}"}
        run.restart(f"n{loss + 2}")
    assert "10 nodes" in run.begin("u").give_up


def test_a_node_that_is_found_dead_only_later_was_the_cause_still() -> None:
    deaths = [Death("gone"), Death("n1", frozenset("a"))]
    assert not decide(deaths, (), {"n1"}, 1).give_up
    assert decide(deaths, (), {"n1", "gone"}, 1).give_up


def test_the_whole_job_stops_where_the_judge_dies_whatever_it_is_given() -> None:
    run = Run()
    said = ""
    for number in range(100):
        order = run.restart()
        if order.hopeless:
            said = order.hopeless
            break
        run.begin(f"u{number}")
    assert said == "13 worker processes died and no unit was finished in between"
    run = Run()
    while not run.restart().hopeless:
        assert run.process < 10
    assert "before they took a unit" in run.begin("u").hopeless


def test_a_task_that_kills_its_worker_is_given_up_too() -> None:
    run = Run()
    for number in range(3):
        assert not run.ledger.enter("reading u", f"t{number}", "n1").give_up
    assert "3 times" in run.ledger.enter("reading u", "t3", "n1").give_up
    assert not run.ledger.enter("reading v", "t4", "n1").give_up
    run.ledger.leave("reading v")
    assert not run.ledger.enter("reading v", "t5", "n1").give_up
    run.ledger.leave("reading v")
    assert run.ledger.snapshot().open == ()


def test_the_snapshot_shows_what_hangs_and_what_is_lost() -> None:
    run = Run()
    run.ledger.enrol("other", "q", "n2")
    run.begin("u", alone=True)
    run.row("u", "a")
    run.now = 70.0
    run.ledger.begin("v", "q")
    run.now = 100.0
    found = run.ledger.snapshot()
    assert (found.judges, found.lost, found.quiet_s) == (2, 0, 30.0)
    assert longest(found.open) == "u for 100 s (row a), v for 30 s"
    assert longest(found.open, shown=1) == "u for 100 s (row a) and 1 more"
    run.alive = {"n1"}
    found = run.ledger.snapshot()
    assert (found.judges, found.lost) == (1, 1)
    assert [item.unit for item in found.open] == ["u"]
    run.ledger.dismiss()
    assert run.ledger.snapshot().open == ()
    assert longest(()) == "none"


def test_deaths_and_what_they_lead_to_are_told_once() -> None:
    run = Run(max_deaths=2)
    run.begin("u")
    run.restart()
    run.begin("u", alone=True)
    run.row("u", "x")
    run.restart()
    assert dict(run.begin("u", alone=True).condemned).keys() == {"x"}
    assert dict(run.begin("u", alone=True).condemned).keys() == {"x"}
    run.ledger.enter("reading v", "t0", "n1")
    run.ledger.enter("reading v", "t1", "n1")
    run.alive = {"n2"}
    run.restart("n2")
    happened = run.ledger.snapshot().happened
    retried = [
        (item.step, item.unit, item.attempt, item.cause)
        for item in happened
        if item.kind is EventKind.UNIT_RETRIED
    ]
    died, lost = "its process died", "its node was lost"
    assert retried == [
        (Phase.JUDGING, "u", 1, died),
        (Phase.JUDGING, "u", 2, died),
        (Phase.READING, "v", 1, died),
        (Phase.JUDGING, "u", 3, lost),
    ]
    (row,) = [item for item in happened if item.kind is EventKind.ROW_QUARANTINED]
    assert (row.unit, row.row, row.cause) == ("u", "x", "it killed its judge 2 times")
    starts = [item.attempt for item in happened if item.kind is EventKind.UNIT_STARTED]
    assert starts == [1, 2, 3, 3]
