"""Layers, types and refusals of the configuration."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from dlcot_ray.config.loading import (
    help_text,
    load_derive,
    load_enhance,
    load_judge,
    load_policy_options,
    load_refresh,
)
from dlcot_ray.config.settings import DeriveConfig, EnhanceConfig, RefreshConfig
from dlcot_ray.errors import ConfigError

PLACES = ["input=in", "output=out"]


def test_packaged_defaults_are_those_of_the_schema() -> None:
    loaded = load_enhance(PLACES)
    assert loaded == EnhanceConfig(input="in", output="out")
    assert load_derive(["annotations=a", "output=b"]) == DeriveConfig(annotations="a", output="b")


def test_later_layers_win(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("rows_per_unit: 7\nretries: 5\nstorage:\n  output: {endpoint_url: http://a}\n")
    loaded = load_enhance([*PLACES, f"config={file}", "retries=1", "storage.input.anon=true"])
    assert (loaded.rows_per_unit, loaded.retries) == (7, 1)
    assert loaded.storage.output == {"endpoint_url": "http://a"}
    assert loaded.storage.input == {"anon": True}


def test_input_may_be_a_list() -> None:
    assert load_enhance(["input=[a,b]", "output=o"]).input == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["output=o"], ["input is not set"]),
        (["input=i"], ["output is not set"]),
        ([*PLACES, "rows_per_unt=3"], ["rows_per_unt", "did you mean 'rows_per_unit'"]),
        ([*PLACES, "ray.adress=x"], ["ray.adress", "did you mean 'ray.address'"]),
        ([*PLACES, "storage.inptu.anon=true"], ["storage.inptu", "'storage.input'"]),
        ([*PLACES, "xyzzy=1"], ["xyzzy", "valid:", "rows_per_unit"]),
        ([*PLACES, "rows_per_unit=many"], ["rows_per_unit", "'many'", "whole number"]),
        ([*PLACES, "rows_per_unit=2.5"], ["rows_per_unit", "2.5"]),
        ([*PLACES, "rows_per_unit=0"], ["rows_per_unit", "1 or more"]),
        ([*PLACES, "max_rejected_share=1.5"], ["max_rejected_share", "between 0 and 1"]),
        ([*PLACES, "overwrite=maybe"], ["overwrite", "true or false"]),
        ([*PLACES, "ray=3"], ["ray", "group"]),
        ([*PLACES, "judge_options=3"], ["judge_options", "group"]),
        ([*PLACES, "ray.address=[1]"], ["ray.address", "text"]),
        (["input=[a,3]", "output=o"], ["input", "list"]),
        ([*PLACES, "loose"], ["'loose'", "key=value"]),
        ([*PLACES, "config=/no/such.yaml"], ["/no/such.yaml"]),
        ([*PLACES, "storage.output.client_kwargs.aws_secret_access_key=abc"], ["credential", "environment"]),
        ([*PLACES, "storage.input.token=abc"], ["storage.input.token", "credential"]),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(words: list[str], says: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        load_enhance(words)
    line = str(refused.value)
    assert "\n" not in line
    for part in says:
        assert part in line
    assert "abc" not in line


@pytest.mark.parametrize("content", ["rows_per_unit: [", "- a\n- b\n", "policy: {a: b}\n", "polcy: x\n"])
def test_a_faulty_file_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_enhance([*PLACES, f"config={file}"])


def test_judges_and_policies_have_packaged_options() -> None:
    judge = load_judge("rules", {"cas_timeout_seconds": 1.0})
    assert judge.factory.startswith("dlcot_ray.judging.rules")
    assert judge.options == {"cas_timeout_seconds": 1.0}
    with pytest.raises(ConfigError, match="did you mean 'rules'"):
        load_judge("rulse", {})
    assert load_policy_options("keep_first+delete_multi_2", {}) == {"min_keep": 0.02}
    assert load_policy_options("keep_first", {"min_keep": 0.5}) == {"min_keep": 0.5}


@pytest.mark.parametrize(("command", "schema"), [("enhance", EnhanceConfig), ("derive", DeriveConfig)])
def test_help_explains_every_key(command: str, schema: type[EnhanceConfig | DeriveConfig]) -> None:
    text = help_text(command)
    for name in schema.__dataclass_fields__:
        assert f"\n{name}:" in text


def test_a_refresh_has_every_setting_of_the_job_but_overwriting() -> None:
    assert load_refresh(PLACES) == RefreshConfig(input="in", output="out")
    shown = yaml.safe_load(help_text("refresh")).keys()
    assert shown == {field.name for field in dataclasses.fields(RefreshConfig)} - {"overwrite"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["input=i"], "output is not set"),
        (["output=o"], "input is not set"),
        ([*PLACES, "overwrite=true"], "a refresh overwrites nothing"),
        ([*PLACES, "action=publsh"], "choose one of refresh, publish, gc, list"),
        (["output=o", "action=publish"], "snapshot is not set"),
        ([*PLACES, "gc=all"], "choose one of none, plan, run"),
        ([*PLACES, "name=../up"], "name cannot be '../up'"),
        ([*PLACES, "keep=0"], "give 1 or more"),
        ([*PLACES, "bounds.max_cut_change=-1"], "bounds.max_cut_change cannot be -1"),
        ([*PLACES, "bounds.max_cut_chnge=1"], "did you mean 'bounds.max_cut_change'"),
    ],
)
def test_settings_of_a_refresh_that_cannot_be(words: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        load_refresh(words)


def test_actions_without_a_night_need_no_input() -> None:
    assert load_refresh(["output=o", "action=gc"]).input is None
