"""The dashboard asks for metrics, labels and values that the code exports, and leaves none out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dlcot_ray.cluster.ledger.unit_events import Phase
from tests.support import REPO

PLACE = REPO / "k8s" / "grafana-dashboard.json"
VALUES = {
    "status": {"enhanced", "unchanged", "rejected"},
    "kind": {"before", "after", "prefill", "cached", "decode"},
    "outcome": {"finished", "failed"},
    "state": {"busy", "elapsed"},
    "phase": {phase.value for phase in Phase},
}
"""Label -> its values, as `telemetry/metrics.py` sets them."""
_KINDS = {
    "Counter": ("_total",),
    "Gauge": ("",),
    "Histogram": ("_bucket", "_sum", "_count"),
}
_SERIES = re.compile(r"(ray_dlcot_\w+)\{([^}]*)\}")


def exported() -> dict[str, set[str]]:
    """Name of a series as Prometheus has it -> its labels, read from the code."""
    tree = ast.parse((REPO / "dlcot_ray" / "telemetry" / "metrics.py").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KINDS:
            name = ast.literal_eval(node.args[0])
            words = {item.value for item in ast.walk(node.args[-1]) if isinstance(item, ast.Constant)}
            labels = {"job", *(word for word in words if isinstance(word, str))}
            for ending in _KINDS[node.func.id]:
                found[f"ray_{name}{ending}"] = labels | ({"le"} if ending == "_bucket" else set())
    return found


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PLACE.read_text(encoding="utf-8"))
    return found


def expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_the_code_exports_metrics() -> None:
    found = exported()
    assert len(found) == 12
    assert found["ray_dlcot_rows_total"] == {"job", "status"}
    assert found["ray_dlcot_judges"] == {"job"}


def test_every_metric_of_the_dashboard_is_exported(dashboard: dict[str, Any]) -> None:
    known = exported()
    for text in [*expressions(dashboard), *(item.get("definition", "") for item in _variables(dashboard))]:
        assert set(re.findall(r"ray_dlcot_\w+", text)) <= known.keys(), text


def test_every_label_and_value_is_exported(dashboard: dict[str, Any]) -> None:
    known = exported()
    for text in expressions(dashboard):
        for name, matchers in _SERIES.findall(text):
            pairs = re.findall(r'(\w+)=~?"([^"]*)"', matchers)
            assert dict(pairs)["job"] == "$job"
            for label, value in pairs:
                assert label in known[name], text
                assert label == "job" or value in VALUES[label], text
            for group in re.findall(r"by \((\w+)\)", text):
                assert group in known[name] or len(_SERIES.findall(text)) > 1, text


def test_no_metric_is_left_out(dashboard: dict[str, Any]) -> None:
    shown = set(re.findall(r"ray_dlcot_\w+", " ".join(expressions(dashboard))))
    beside = {"ray_dlcot_unit_seconds_sum", "ray_dlcot_unit_seconds_count"}
    assert exported().keys() - beside == shown


def test_the_reference_lists_the_same_metrics() -> None:
    text = (REPO / "docs" / "reference" / "logs-and-metrics.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(ray_dlcot_\w+)`", text, re.MULTILINE))
    assert listed == {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported()}


def test_every_legend_names_a_label_of_its_expression(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert f"by ({label})" in target["expr"]


def test_panels_have_room_and_say_what_they_show(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["description"].endswith(".")
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def _variables(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dashboard["templating"]["list"]
    return found
