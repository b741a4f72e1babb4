"""Layers, types and refusals of the configuration."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dlcot_ray.cli import COMMANDS
from dlcot_ray.config.fields import help_text, rule_of
from dlcot_ray.config.layers import merged
from dlcot_ray.config.loading import load_derive, load_enhance, load_judge, load_refresh
from dlcot_ray.config.settings import DeriveConfig, EnhanceConfig, RefreshConfig
from dlcot_ray.config.view_settings import load_agreement, load_inspect, load_verify
from dlcot_ray.core.policies.registry import policy_help
from dlcot_ray.errors import ConfigError

PLACES = ["input=in", "output=out"]


def test_without_other_words_every_setting_has_its_default() -> None:
    assert load_enhance(PLACES) == EnhanceConfig(input="in", output="out")
    assert load_refresh(PLACES) == RefreshConfig(input="in", output="out")
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
        (["input=[a,{b: c}]", "output=o"], ["input", "list"]),
        ([*PLACES, "loose"], ["'loose'", "key=value"]),
        ([*PLACES, "config=/no/such.yaml"], ["/no/such.yaml"]),
        ([*PLACES, "storage.output.client_kwargs.aws_secret_access_key=abc"], ["credential", "environment"]),
        ([*PLACES, "storage.input.token=abc"], ["storage.input.token", "credential"]),
        ([*PLACES, "storage.input.session_tokens=abc"], ["storage.input.session_tokens", "credential"]),
        ([*PLACES, "policy_options.min_keep=2"], ["policy_options.min_keep cannot be 2", "between 0 and 1"]),
        ([*PLACES, "policy_options.min_kep=0"], ["did you mean 'policy_options.min_keep'"]),
        ([*PLACES, "log.level=warn"], ["log.level cannot be 'warn'", "choose one of debug, info"]),
        ([*PLACES, "quality_floor.limit=0"], ["quality_floor.limit cannot be 0", "more than 0"]),
        ([*PLACES, "worker.gpus=-1"], ["worker.gpus cannot be -1", "0 or more"]),
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


def test_a_judge_has_the_options_of_its_file_and_those_of_the_job() -> None:
    judge = load_judge("rules", {"cas_timeout_seconds": 1.0})
    assert judge.factory.startswith("dlcot_ray.judging.rules")
    assert judge.options == {"cas_timeout_seconds": 1.0}
    with pytest.raises(ConfigError, match="did you mean 'rules'"):
        load_judge("rulse", {})


def schema_of(command: str) -> type[Any]:
    module, _, name = COMMANDS[command].settings.partition(":")
    schema: type[Any] = getattr(importlib.import_module(module), name)
    return schema


def every_field(schema: type[Any]) -> Iterator[dataclasses.Field[Any]]:
    for declared in dataclasses.fields(schema):
        yield declared
        if dataclasses.is_dataclass(declared.default_factory):
            yield from every_field(declared.default_factory)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_a_configuration_file_with_every_default(command: str) -> None:
    schema = schema_of(command)
    shown = yaml.safe_load(help_text(schema))
    hidden = {declared.name for declared in dataclasses.fields(schema) if rule_of(declared).hidden}
    assert hidden == ({"overwrite"} if command == "refresh" else set())
    defaults = dataclasses.asdict(schema())
    assert shown == {name: value for name, value in defaults.items() if name not in hidden}
    assert merged(schema, [("help", shown)]) == schema()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_has_a_help_text_which_the_help_prints(command: str) -> None:
    printed = " ".join(help_text(schema_of(command)).replace("#", " ").split())
    for declared in every_field(schema_of(command)):
        rule = rule_of(declared)
        assert rule.help.endswith("."), declared.name
        assert rule.hidden or rule.help in printed, declared.name


@pytest.mark.parametrize("command", ["enhance", "derive", "refresh", "plan"])
def test_help_lists_every_policy_with_what_it_does(command: str) -> None:
    lines = [line.split(None, 2) for line in help_text(schema_of(command)).splitlines()]
    assert {word[1]: word[2] for word in lines if len(word) == 3}.items() >= policy_help().items()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["input=i"], "output is not set"),
        (["output=o"], "input is not set"),
        ([*PLACES, "overwrite=true"], "dlcot refresh does not overwrite"),
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


def test_actions_that_make_no_snapshot_need_no_input() -> None:
    assert load_refresh(["output=o", "action=gc"]).input is None


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("output=no", "no"),
        ("output=2024_11_26", "2024_11_26"),
        ("output=0x10", "0x10"),
        ("output=run #2", "run #2"),
        ("output=a: b", "a: b"),
        ("output=*star", "*star"),
        ("output=a=b", "a=b"),
        ("output=[odd]", "[odd]"),
        ("output={odd}", "{odd}"),
        ('output="quoted"', '"quoted"'),
        ("output=1e3", "1e3"),
        ("output= spaced ", " spaced "),
    ],
)
def test_the_value_of_a_text_setting_is_its_text(word: str, value: str) -> None:
    assert load_enhance(["input=i", word]).output == value


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("input=*.parquet", "*.parquet"),
        ("input=run #2", "run #2"),
        ("input=no", "no"),
        ("input=[a,no]", ["a", "no"]),
        ('input=["run #2", 2024_11_26]', ["run #2", "2024_11_26"]),
        ("input=[ab]*.parquet", "[ab]*.parquet"),
    ],
)
def test_places_are_texts_or_lists_of_texts(word: str, value: object) -> None:
    assert load_enhance([word, "output=o"]).input == value


def test_null_unsets_a_setting_that_may_be_unset() -> None:
    assert load_enhance([*PLACES, "tokenizer=null"]).tokenizer is None
    assert load_enhance([*PLACES, "quality_floor.traces=null"]).quality_floor.traces is None
    assert load_enhance([*PLACES, "policy=null"]).policy == "null"
    with pytest.raises(ConfigError, match="output is not set"):
        load_enhance(["input=i", "output=null"])


@pytest.mark.parametrize("words", [["output=a", "output=b"], ["ray.wait_s=1", "ray.wait_s=1"]])
def test_a_key_that_is_given_twice_is_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"(output|ray\.wait_s) is given twice"):
        load_enhance(["input=i", *words])


def test_the_home_directory_is_found_in_every_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.yaml").write_text("tokenizer: ~/tokenizer\n")
    words = ["input=[~/in,/b/~x]", "output=~", "config=~/my.yaml", "judge_options.model=~/m", "log.file=~/l"]
    config = load_enhance(words)
    assert config.input == [f"{tmp_path}/in", "/b/~x"]
    assert (config.output, config.tokenizer) == (str(tmp_path), f"{tmp_path}/tokenizer")
    assert (config.judge_options["model"], config.log.file) == (f"{tmp_path}/m", f"{tmp_path}/l")


@pytest.mark.parametrize("content", ["output: no\n", "output: 2024_11_26\n", "ray: {address: 1.5}\n"])
def test_a_text_that_yaml_reads_as_something_else_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(content)
    with pytest.raises(ConfigError, match="give text; in a YAML file, in quotes"):
        load_enhance(["input=i", f"config={tmp_path}/my.yaml"])


@pytest.mark.parametrize(
    "place", ["out", "s3://bucket/date=2024-01-01/x", "http://host/a.parquet?sig=1", "./a=b"]
)
def test_a_bare_first_word_may_hold_a_sign_of_equality(place: str) -> None:
    assert load_inspect([place, "sample=3"]).input == place
    assert load_verify([place]).output == place
    assert load_agreement([place, place]).second == place
    with pytest.raises(ConfigError, match="no setting 'a'"):
        load_inspect(["a=b"])
