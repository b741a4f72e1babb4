"""Who was doing what when a process died: the book from which a unit that kills is found out.

Ray tells that a process is gone, not why. So every process enters a unit here before it touches it and
strikes it out afterwards; what is still open when its successor enrols was in progress at the death. The
first death of a unit may be chance or a neighbour's fault: the unit is tried again with nothing beside it,
and says which row it is at. The rows that were open at the next death are then taken one at a time, so the
row that does it names itself by the last death. Processes that went down with their node accuse nobody
until a unit was there suspiciously often.

Plain data and rules, without Ray; `graph.py` keeps one of these in an actor beside the driver. It lives as
long as a run does: another run gives every unit another chance.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from dlcot_ray.cluster.unit_events import EventKind, Happening, Happenings, Phase

MAX_NODE_LOSSES = 10
"""Nodes that may be lost under one unit before it counts as the cause."""
_UNIT_DEATHS = 3
"""Times `max_deaths`: what one unit may kill in all while its rows are singled out."""
_JOB_DEATHS = 4
"""Times `max_deaths`, and one more for each process: deaths without a finished unit after which it is not
the units."""


@dataclass(frozen=True, slots=True)
class Death:
    """One process that died over a unit.

    Attributes:
        node: where it ran.
        rows: ids of the rows in progress; empty where they were not told.
        note: its last words, where it had any.
    """

    node: str
    rows: frozenset[str] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """How to go about a unit.

    Attributes:
        give_up: why not to touch it, or empty.
        alone: nothing else may run beside it, and each row has to be told.
        suspects: ids of rows to take one at a time.
        condemned: ids of rows to leave out, and why.
        hopeless: why the whole job had better stop, or empty.
        attempt: which one of the unit this is, from 1; for the record, it orders nothing.
    """

    give_up: str = ""
    alone: bool = False
    suspects: frozenset[str] = frozenset()
    condemned: tuple[tuple[str, str], ...] = ()
    hopeless: str = ""
    attempt: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class InProgress:
    """A unit in a process: for how many seconds, on which node, with which rows if they are told, and where
    in the graph."""

    unit: str
    node: str
    seconds: float
    rows: tuple[str, ...] = ()
    step: Phase = Phase.JUDGING


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the book says now.

    Attributes:
        judges: processes enrolled for judging, on nodes that are alive.
        lost: those whose node is gone and that did not come back.
        quiet_s: seconds since anything was entered or finished.
        open: units in progress, the longest first; on nodes that are alive.
        deaths: processes that died over units, node losses not counted.
        happened: what the one who asks does not know yet, in order.
        told: how many happenings there were in all.
    """

    judges: int
    lost: int
    quiet_s: float
    open: tuple[InProgress, ...] = ()
    deaths: int = 0
    happened: tuple[Happening, ...] = ()
    told: int = 0


@dataclass(slots=True)
class _Attempt:
    since: float
    rows: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Process:
    node: str
    judge: bool
    open: dict[str, _Attempt] = field(default_factory=dict)
    note: str = ""


def decide(
    deaths: Sequence[Death], cleared: Collection[str], alive: Collection[str], max_deaths: int
) -> Order:
    """How to go about a unit with these deaths behind it.

    Args:
        deaths: in order.
        cleared: rows that went through singly.
        alive: nodes; a death elsewhere was the node's.
        max_deaths: how often a unit may kill.
    """
    killed = [death for death in deaths if death.node in alive]
    lost = len(deaths) - len(killed)
    if lost >= MAX_NODE_LOSSES:
        return Order(give_up=f"it was in progress on {lost} nodes when they were lost")
    if not killed:
        return Order()
    note = next((f" ({death.note})" for death in reversed(killed) if death.note), "")
    blind = sum(not death.rows for death in killed)
    if blind >= max_deaths or len(killed) >= _UNIT_DEATHS * max_deaths:
        return Order(give_up=f"it killed its worker {len(killed)} times{note}")
    seen = Counter(row for death in killed for row in death.rows)
    singly = {row for death in killed if len(death.rows) == 1 for row in death.rows}
    guilty = {row for row in singly if len(killed) >= max_deaths and seen[row] >= max(1, max_deaths - 1)}
    return Order(
        alone=True,
        suspects=frozenset(set(seen) - guilty - set(cleared)),
        # A death before the rows were told was over one of them as well.
        condemned=tuple(
            (row, f"it killed its judge {min(seen[row] + blind, len(killed))} times{note}")
            for row in sorted(guilty)
        ),
    )


class Ledger:
    """The book of one run.

    Args:
        max_deaths: how often one unit may kill its process.
        alive: the nodes of the cluster, now.
        clock: seconds.
    """

    def __init__(
        self,
        max_deaths: int,
        alive: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_deaths = max_deaths
        self._alive = alive
        self._clock = clock
        self._processes: dict[str, _Process] = {}
        self._of_slot: dict[str, str] = {}
        self._deaths: dict[str, list[Death]] = {}
        self._cleared: dict[str, set[str]] = {}
        self._moved = clock()
        self._in_a_row: list[Death] = []
        self._barren: list[Death] = []
        self._killed = 0
        self._happenings = Happenings()
        self._condemned: set[tuple[str, str]] = set()

    def enrol(self, slot: str, process: str, node: str) -> Order:
        """A judge's process takes its slot (an actor); its predecessor there is dead."""
        self._take(slot, process, node, judge=True)
        return Order(hopeless=self._hopeless())

    def enter(self, work: str, process: str, node: str) -> Order:
        """A task's process begins a piece of work; if a predecessor has it open still, that one is dead."""
        self._take(work, process, node, judge=False)
        order = self.begin(work, process, alone=True)
        if order.give_up:
            self.leave(work)
        return order

    def leave(self, work: str) -> None:
        """A piece of work that was entered is done, or given up."""
        process = self._of_slot.pop(work, None)
        if process is not None:
            self._processes.pop(process, None)
        self._deaths.pop(work, None)
        self._moved = self._clock()

    def begin(self, unit: str, process: str, *, alone: bool = False) -> Order:
        """Enter a unit before it is touched; not entered where the order asks for what was not offered.

        A process that is not enrolled (any more) may work; its death accuses nobody.
        """
        self._moved = self._clock()
        deaths = self._deaths.get(unit)
        order = Order()
        if deaths:
            order = decide(deaths, self._cleared.get(unit, ()), self._alive(), self._max_deaths)
        hopeless = self._hopeless()
        if hopeless:
            return Order(hopeless=hopeless)
        order = replace(order, attempt=len(deaths or ()) + 1)
        entered = self._processes.get(process)
        self._tell(unit, order, entered)
        if entered is not None and not order.give_up and (alone or not order.alone):
            entered.open[unit] = _Attempt(self._clock())
            if entered.judge:
                self._happenings.add(EventKind.UNIT_STARTED, unit, Phase.JUDGING, order.attempt)
        return order

    def row(self, unit: str, process: str, row: str, *, begins: bool) -> None:
        """A row of a unit that is alone begins or ends."""
        self._moved = self._clock()
        attempt = self._open(unit, process)
        if attempt is None:
            return
        if begins:
            attempt.rows.add(row)
        else:
            if attempt.rows == {row}:
                self._cleared.setdefault(unit, set()).add(row)
            attempt.rows.discard(row)

    def end(self, unit: str, process: str, *, done: bool = True) -> None:
        """Strike a unit out; `done` forgets what it was accused of."""
        self._moved = self._clock()
        entered = self._processes.get(process)
        if entered is not None:
            entered.open.pop(unit, None)
        if done:
            self._deaths.pop(unit, None)
            self._cleared.pop(unit, None)
            self._in_a_row.clear()
            self._barren.clear()

    def beat(self) -> None:
        """Something went on."""
        self._moved = self._clock()

    def note(self, process: str, text: str) -> None:
        """The last words of a process that is about to end itself."""
        if process in self._processes:
            self._processes[process].note = text

    def dismiss(self) -> None:
        """All processes end without blame: the graph is taken down to be built anew."""
        self._processes.clear()
        self._of_slot.clear()
        self._moved = self._clock()

    def snapshot(self, told: int = 0) -> Snapshot:
        """What the book says now, to someone who knows of the first `told` happenings."""
        count, happened = self._happenings.after(told)
        alive, now = self._alive(), self._clock()
        judges = [process for process in self._processes.values() if process.judge]
        here = sum(process.node in alive for process in judges)
        units = (
            InProgress(
                unit, process.node, now - attempt.since, tuple(sorted(attempt.rows)), _place(unit, process)[0]
            )
            for process in self._processes.values()
            if process.node in alive
            for unit, attempt in process.open.items()
        )
        return Snapshot(
            here,
            len(judges) - here,
            now - self._moved,
            tuple(sorted(units, key=lambda item: -item.seconds)),
            self._killed,
            happened,
            count,
        )

    def _take(self, slot: str, process: str, node: str, *, judge: bool) -> None:
        before = self._of_slot.get(slot)
        if before is not None and before != process:
            self._bury(before)
        self._of_slot[slot] = process
        self._processes[process] = _Process(node, judge)

    def _tell(self, work: str, order: Order, process: _Process | None) -> None:
        """Of what is given up, once."""
        step, unit = _place(work, process)
        if order.give_up:
            self._happenings.add(
                EventKind.UNIT_QUARANTINED, unit, step, order.attempt - 1, cause=order.give_up
            )
        for row, cause in order.condemned:
            if (work, row) not in self._condemned:
                self._condemned.add((work, row))
                self._happenings.add(
                    EventKind.ROW_QUARANTINED, unit, step, order.attempt - 1, cause=cause, row=row
                )

    def _open(self, unit: str, process: str) -> _Attempt | None:
        entered = self._processes.get(process)
        return entered.open.get(unit) if entered is not None else None

    def _bury(self, process: str) -> None:
        dead = self._processes.pop(process, None)
        if dead is None:
            return
        gone = "its process died" if dead.node in self._alive() else "its node was lost"
        for unit, attempt in dead.open.items():
            death = Death(dead.node, frozenset(attempt.rows), dead.note)
            deaths = self._deaths.setdefault(unit, [])
            deaths.append(death)
            step, name = _place(unit, dead)
            self._happenings.add(EventKind.UNIT_RETRIED, name, step, len(deaths), cause=dead.note or gone)
            self._cleared.get(unit, set()).difference_update(attempt.rows)
        if dead.node not in self._alive():
            return
        self._killed += 1
        last = Death(dead.node, note=dead.note)
        (self._in_a_row if dead.open else self._barren).append(last)

    def _hopeless(self) -> str:
        """Why it cannot be the units, or empty."""
        judges = sum(process.judge for process in self._processes.values())
        if len(self._barren) >= self._max_deaths + judges:
            return _ended(self._barren, "before they took a unit or between units")
        if len(self._in_a_row) >= _JOB_DEATHS * self._max_deaths + judges:
            return _ended(self._in_a_row, "and no unit was finished in between")
        return ""


def _place(work: str, process: _Process | None) -> tuple[Phase, str]:
    """Where in the graph a piece of work is, and its unit."""
    if process is None or process.judge:
        return Phase.JUDGING, work
    step, _, unit = work.partition(" ")
    return Phase(step), unit


def _ended(deaths: Sequence[Death], how: str) -> str:
    note = next((f" ({death.note})" for death in reversed(deaths) if death.note), "")
    return f"{len(deaths)} worker processes died {how}{note}"


def longest(units: Iterable[InProgress], shown: int = 3) -> str:
    """Units in progress for people: the longest first."""
    listed = list(units)
    parts = [
        f"{item.unit} for {item.seconds:,.0f} s" + (f" (row {', '.join(item.rows[:3])})" if item.rows else "")
        for item in listed[:shown]
    ]
    more = f" and {len(listed) - shown} more" if len(listed) > shown else ""
    return ", ".join(parts) + more if parts else "none"
