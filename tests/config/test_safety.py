"""Files of settings are data: they run no code that was not allowed, end, and copy nothing to other places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray import api
from dlcot_ray.cli import main
from dlcot_ray.commands.prepare import warn_if_unpinned
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.paths import conf_dir
from dlcot_ray.errors import ConfigError, JobError
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.vllm.models import _copy

RULES = "dlcot_ray.judging.rules.judge:RulesJudge"


@pytest.mark.parametrize(
    "factory",
    [
        "os:system",
        "subprocess:run",
        "dlcot_ray.cli:main",
        "dlcot_ray.judging.rules.judge:importlib",
        "dlcot_ray.judging.rules.judge:RulesJudge.__init__",
        "dlcot_ray.judging.vllm.models:shutil",
        "dlcot_ray.judging.vllm.models:local_model",
        "dlcot_ray.judging.protocol:JudgeUnavailable",
        "dlcot_ray.judging.rules.judge:NoSuchJudge",
        "dlcot_ray.judging..x:RulesJudge",
        "",
    ],
)
def test_a_judge_that_names_other_code_is_refused(
    factory: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"factory: '{factory}'\noptions: {{command: 'touch {tmp_path / 'ran'}'}}\n")
    with pytest.raises(ConfigError, match=r"names the code .*allow_code=true"):
        load_judge(str(file), {})
    places = (f"input={tmp_path}", f"output={tmp_path / 'out'}", f"judge={file}")
    for command in ("plan", "enhance", "refresh"):
        assert main([command, *places]) == 2
    assert main(["evaluate", f"judge={file}"]) == 2
    assert "allow_code=true" in capsys.readouterr().err
    with pytest.raises(JobError):
        api.Session(str(file))
    assert not (tmp_path / "ran").exists()
    assert load_judge(str(file), {}, allow_code=True).factory == factory


@pytest.mark.parametrize(
    "options", [{"engine": {"trust_remote_code": True}}, {"engine": {"worker-cls": "x.Y"}}]
)
def test_options_that_run_code_of_a_model_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"runs the code of others.*allow_code=true"):
        load_judge("vllm", options)
    load_judge("vllm", options, allow_code=True)


def test_every_judge_that_comes_with_the_package_is_taken() -> None:
    for path in (conf_dir() / "judge").glob("*.yaml"):
        assert load_judge(path.stem, {}).factory
    assert load_judge("rules", {}).factory == RULES


def test_every_model_of_the_hub_that_a_judge_names_is_a_commit() -> None:
    found = {path.stem: load_judge(path.stem, {}).options for path in (conf_dir() / "judge").glob("*.yaml")}
    named = {name: options for name, options in found.items() if options.get("model")}
    assert len(named) > 8
    for name, options in named.items():
        if not options["model"].startswith("models/"):
            assert re.fullmatch("[0-9a-f]{40}", options["revision"]), name


def test_the_commit_of_a_judge_is_that_of_its_own_model() -> None:
    commit = load_judge("qwen3-8b-fp8", {}).options["revision"]
    assert load_judge("qwen3-8b-fp8", {"model": "Qwen/Qwen3-8B-FP8"}).options["revision"] == commit
    assert load_judge("qwen3-8b-fp8", {"model": "me/mine"}).options["revision"] is None
    assert load_judge("qwen3-8b-fp8", {"model": "me/mine", "revision": "v1"}).options["revision"] == "v1"
    assert load_judge("qwen3-8b-fp8", {"revision": "v1"}).options["revision"] == "v1"
    assert "revision" not in load_judge("learned", {"model": "/x"}).options


@pytest.mark.parametrize(
    "files",
    [
        {"a": "order: [{folder}/a.yaml]"},
        {"a": "order: [{folder}/b.yaml]", "b": "order: [{folder}/a.yaml]"},
        {"a": "order: [auto]"},
        {"a": "reasoning: ${{reasoning}}"},
    ],
)
def test_a_preset_that_refers_to_itself_is_an_error(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text.format(folder=tmp_path))
    with pytest.raises(JobError, match=r"\.yaml"):
        load_preset(str(tmp_path / "a.yaml"))


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../evil"])
def test_a_model_copies_nothing_outside_its_directory(name: str, tmp_path: Path) -> None:
    class Files:
        def get_file(self, source: str, target: str) -> None:
            Path(target).write_text("evil")

    target = tmp_path / "deep" / "cache" / "model"
    target.parent.mkdir(parents=True)
    with pytest.raises(ValueError, match="not a name below the model"):
        _copy(Files(), {name: {"name": "x"}}, target)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_model_of_the_hub_without_a_revision_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    warn_if_unpinned("rules/9 | model/5/Qwen/Qwen3-8B-FP8@main/dlcot@1a2b")
    (line,) = capsys.readouterr().err.splitlines()
    assert "Qwen/Qwen3-8B-FP8 has no revision" in line
    assert "judge_options.revision=COMMIT" in line
    for identity in ("rules/9", "model/5/smollm2@0123abcd", "model/5/Qwen/Qwen3-8B@0123456789abcdef"):
        warn_if_unpinned(identity)
    assert not capsys.readouterr().err
