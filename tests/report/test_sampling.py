"""The sample is seeded, spread over the units, and gives each bar traces to open."""

from __future__ import annotations

from dlcot_ray.report.facts import RowFacts
from dlcot_ray.report.sampling import draw_rows, draw_units, fill, in_order_of_need
from dlcot_ray.report.stored import Place


def facts(number: int, status: str = "enhanced", reason: str = "", before: int = 100) -> RowFacts:
    return RowFacts(Place("u", number), f"t{number}", status, reason, (), before, 50, (), {})


def test_units_and_rows_are_drawn_by_seed() -> None:
    units = [f"u{number}" for number in range(500)]
    draw = draw_units(units, 0, rows=1000, most=50)
    assert len(draw.units) == 50
    assert draw.per_unit == 20
    assert draw == draw_units(units, 0, rows=1000, most=50) != draw_units(units, 1, rows=1000, most=50)
    rows = [facts(number) for number in range(256)]
    drawn = draw_rows(rows, 0, 20)
    assert len(drawn) == 20
    assert drawn == draw_rows(rows, 0, 20)
    assert draw_units([], 0).units == ()
    assert draw.of == 500
    # The order of the LIST does not matter.
    assert draw == draw_units(reversed(units), 0, rows=1000, most=50)


def test_rare_values_come_first() -> None:
    rows = [*(facts(number) for number in range(200)), facts(200, "unchanged", "gate:ending_kept")]
    order = in_order_of_need(rows, 0)
    assert rows[200] in order[:7]
    assert sorted(row.trace_id for row in order) == sorted(row.trace_id for row in rows)


def test_texts_stay_within_the_budget() -> None:
    rows = [facts(0, before=10), facts(1, before=90), facts(2, before=20), facts(3, before=20)]
    places = list(fill(rows, 100, lambda row: row.before))
    # Nothing takes more than a quarter of the budget.
    assert [place.row for place in places] == [0, 2, 3]
    assert sum(rows[place.row].before for place in places) <= 100
