"""An output is refused where a later run would read it as input, or where Ray deletes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlcot_ray.commands.prepare import open_output
from dlcot_ray.errors import JobError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("data", "data"),
        ("data", "data/out"),
        ("data/", "link/out"),
        ("link", "data/out"),
        ("data", "other/../data/out"),
        ("data/sub/..", "data/out"),
        ("data/**/*.parquet", "data/out"),
        ("data/*/*/*.parquet", "data/out"),
        ("*/*/enhanced/*.parquet", "data/out"),
        ("da*/**", "link/out"),
    ],
)
def test_an_output_inside_an_input_is_refused(data: Path, source: str, output: str) -> None:
    for spelling in (source, f"{data.parent}/{source}", f"file://{data.parent}/{source}"):
        with pytest.raises(JobError, match=r"the output .* lies inside the input"):
            open_output(str(Path(output).absolute()), {}, [spelling])
    assert not (data / "out").exists()


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("data", "data2"),
        ("data/*.parquet", "data/out"),
        ("data/in*/*/*.parquet", "data/out"),
        ("data/sub", "data"),
    ],
)
def test_an_output_beside_an_input_is_taken(data: Path, source: str, output: str) -> None:
    open_output(str(Path(output).absolute()), {}, [source])


def test_an_input_inside_the_output_is_refused(data: Path) -> None:
    (data / "enhanced" / "in").mkdir(parents=True)
    with pytest.raises(JobError, match="lies inside the output"):
        open_output(str(data), {}, ["link/enhanced/in"])


def test_other_names_of_a_protocol_hide_nothing() -> None:
    with pytest.raises(JobError, match="lies inside the input"):
        open_output("memory://bucket/in/out", {}, ["memory://bucket/a/../in/"])


def test_an_output_in_the_package_of_a_submitted_job_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "working_dir_files" / "_ray_pkg_0123456789abcdef"
    package.mkdir(parents=True)
    with pytest.raises(
        JobError, match=r"lies in the copy of the working directory .*; give an absolute path"
    ):
        open_output(str(package / "out"), {}, ["s3://bucket/in"])
