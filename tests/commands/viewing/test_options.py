"""The options of `dlcot diff`, `report` and `view`: one output, named in either way, and errors in one line."""

from __future__ import annotations

import pytest

from dlcot_ray.commands.viewing.options import Options
from dlcot_ray.errors import ConfigError


def parser() -> Options:
    options = Options("diff", "shows traces")
    options.add_argument("--id")
    return options


@pytest.mark.parametrize("word", ["out/first", "output=out/first"])
def test_an_output_is_named_in_either_way(word: str) -> None:
    given = parser().read([word])
    assert given is not None
    assert given.output == "out/first"


def test_only_the_output_loses_its_key() -> None:
    given = parser().read(["output=out/first", "--id", "output=7"])
    assert given is not None
    assert (given.output, given.id) == ("out/first", "output=7")


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert parser().read(["--help"]) is None
    assert "shows traces" in capsys.readouterr().out


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match="--ids") as raised:
        parser().read(["out/first", "--ids=7"])
    assert "dlcot diff --help" in str(raised.value.remedy)
