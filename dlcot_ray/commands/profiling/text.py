"""The figures of `dlcot profile` as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlcot_ray.profiling.measures import MEASURES, Measure
from dlcot_ray.telemetry.console import duration

_MOST_GROUPS = 12
_LONGEST_NAME = 28
_COLUMNS = ("outcome_efficiency", "behind_answer", "failed_steps", "review_ratio", "approaches", "checks")
_HEADS = ("outcome", "behind", "failed", "review", "ways", "checks")


def profile_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Lines for people.

    Args:
        figures: as `dlcot profile --json` prints them.
    """
    sampled = f" of {figures['of_rows']:,} (seed {figures['seed']})" if _is_sample(figures) else ""
    seconds = duration(figures["seconds"])
    yield f"{figures['traces']:,} traces in {figures['rows']:,} rows{sampled}, in {seconds}"
    for cause, found in figures["rejected"].items():
        yield f"rejected   {found['count']:,} {cause}: {found['example']}"
    for reason, count in figures["not_judged"].items():
        yield f"not judged {count:,} {reason}"
    for text in figures["unreadable"]:
        yield f"unreadable {text}"
    everything = figures["figures"]["all"]
    if everything is not None:
        yield from _all_lines(everything)
        for name in figures["groups"]:
            yield from _group_lines(name, figures["figures"][name], figures["policies"][0])
    yield ""
    if "page" in figures:
        yield f"page: {figures['page']} (for a browser; each bar opens its traces)"
    if everything is not None:
        yield f"next: dlcot enhance input={figures['input']} output=out/first"


def _is_sample(figures: Mapping[str, Any]) -> bool:
    return bool(figures["rows"] < figures["of_rows"])


def _all_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{'':<26}{'mean':>9}{'10 %':>9}{'median':>9}{'90 %':>9}{'n':>8}"
    for measure in MEASURES:
        item = found["measures"][measure.name]
        cells = "".join(f"{number(measure, item[key]):>9}" for key in ("mean", "p10", "median", "p90"))
        yield f"{measure.title:<26}{cells}{item['n']:>8,}"
    yield ""
    sections = sorted(found["sections"].items(), key=lambda item: -item[1])
    yield "sections   " + ", ".join(f"{name} {share:.0%}" for name, share in sections)
    yield "they end   " + _counted(found["ends"], found["traces"])
    yield "compared   " + _counted(found["references"], found["traces"])
    yield "languages  " + _counted(found["languages"], found["traces"])
    exact, near = found["copies"]["exact"], found["copies"]["near"]
    yield f"copies     {exact:,} the same as an earlier one, {near:,} nearly"
    yield ""
    yield f"{'what policies would cut':<46}{'chosen':>9}{'behind gates':>14}{'changed':>9}"
    for name, share in found["chosen"].items():
        gated = f"{found['cut'][name]:>14.1%}{found['changed'][name]:>9,}" if name in found["cut"] else ""
        yield f"{name:<46}{share:>9.1%}{gated}"


def _group_lines(name: str, groups: Mapping[str, Mapping[str, Any]], policy: str) -> Iterator[str]:
    yield ""
    heads = "".join(f"{head:>9}" for head in _HEADS)
    yield f"{'by ' + name:<30}{'traces':>8}{'tokens':>9}{'right':>8}{heads}{'copies':>8}{'cut':>8}"
    for value, found in list(groups.items())[:_MOST_GROUPS]:
        means = {item.name: found["measures"][item.name]["mean"] for item in MEASURES}
        titles = {item.name: item for item in MEASURES}
        cells = "".join(f"{number(titles[key], means[key]):>9}" for key in _COLUMNS)
        copies = found["copies"]["exact"] + found["copies"]["near"]
        right = found["ends"].get("right", 0) / found["traces"]
        shown = value if len(value) <= _LONGEST_NAME else f"{value[: _LONGEST_NAME - 3]}..."
        yield (
            f"{shown:<30}{found['traces']:>8,}{means['tokens']:>9,.0f}{right:>8.0%}{cells}"
            f"{copies:>8,}{found['cut'].get(policy, 0.0):>8.1%}"
        )
    if len(groups) > _MOST_GROUPS:
        yield f"and {len(groups) - _MOST_GROUPS:,} more; --json has all"


def number(measure: Measure, value: float | None) -> str:
    """A value of a measure for people."""
    if value is None:
        return "-"
    if measure.is_share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def _counted(counts: Mapping[str, int], total: int) -> str:
    return ", ".join(f"{word} {count / total:.0%}" for word, count in counts.items())
