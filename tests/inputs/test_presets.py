from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dlcot_ray.config.paths import conf_dir
from dlcot_ray.errors import JobError
from dlcot_ray.inputs import presets
from dlcot_ray.inputs.presets import DatasetPreset, load_preset, preset_names


@pytest.mark.parametrize("name", preset_names())
def test_every_shipped_preset_loads_and_describes_itself(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert preset.description


def test_auto_tries_shipped_presets() -> None:
    order = [preset.name for preset in load_preset("auto").order]
    assert set(order) <= set(preset_names())
    assert order.index("s1k") < order.index("messages") < order.index("plain")


def test_a_new_file_that_says_what_it_is_detected_by_is_tried_by_auto(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(conf_dir() / "dataset", tmp_path / "dataset")
    (tmp_path / "dataset" / "notebook.yaml").write_text("problem: [task]\nreasoning: [pad]\ndetect: [pad]\n")
    (tmp_path / "dataset" / "unseen.yaml").write_text("problem: [task]\nreasoning: [scribble]\n")
    monkeypatch.setattr(presets, "conf_dir", lambda: tmp_path)
    order = [preset.name for preset in load_preset("auto").order]
    assert order.index("limo") < order.index("notebook") < order.index("messages")
    assert "unseen" not in order


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(
        JobError, match=r"unknown dataset preset 'openthought'; did you mean 'openthoughts'\?"
    ):
        load_preset("openthought")
    with pytest.raises(JobError, match=r"valid: .*auto, .*plain"):
        load_preset("zzz")


def test_a_users_own_preset_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("problem: q\nreasoning: [a.b, c]\n")
    assert load_preset(str(path)) == DatasetPreset("mine", problem=("q",), reasoning=("a.b", "c"))
    with pytest.raises(JobError, match="does not exist"):
        load_preset(str(tmp_path / "other.yaml"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("reasonin: [x]", r"unknown key reasonin; did you mean 'reasoning'\?"),
        (
            "reasoning: [x]\nmessages: {colums: [m]}",
            r"unknown key messages.colums; did you mean 'messages.columns'",
        ),
        ("reasoning: [x]\nmessages: {role: [m]}", "messages.columns is missing"),
        ("reasoning: [x]\nmessages: [m]", "messages must be a mapping"),
        ("reasoning: [1]", "reasoning must be a list of names"),
        ("reasoning: {x: y}", "reasoning must be a list of names"),
        ("problem: [x]", "names no reasoning, tagged or messages column"),
        ("tagged: [x]\nthinking: [<think>, </think>]", "must be a list of pairs"),
        ("reasoning: [x]\nreasoning: [y]", "duplicate key reasoning in line 2"),
        ("reasoning: [x", "expected .* in line"),
        ("- a", "must be a mapping"),
        ("name: [x]\nreasoning: [x]", "name must be text"),
    ],
)
def test_a_faulty_file_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(JobError, match=complaint) as caught:
        load_preset(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
