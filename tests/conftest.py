"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import s3fs
from hypothesis import Phase, settings

from tests.support import REPO
from tests.support.finished_job import FinishedJob, make_finished_job
from tests.support.seaweed import S3Place, S3Server, seaweed
from tests.support.shared_ray import SharedRay

# To explain a failing example, hypothesis traces every line. In a process with Ray's threads Python 3.11 was seen
# to loop in that for ever, so that the failure was never printed.
settings.register_profile("dlcot", phases=[phase for phase in Phase if phase is not Phase.explain])
settings.load_profile("dlcot")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real traces and human labels that are not part of the repository; skips where they are missing."""
    root = Path(os.environ.get("DLCOT_SHARED_DATA", REPO.parent / "shared" / "data"))
    if not (root / "traces").is_dir():
        pytest.skip(f"real traces are not available at {root} (set DLCOT_SHARED_DATA)")
    return root


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The small instruct model that `scripts/get_model.py` installs; skips where it is missing.

    `make test` always installs it, and then its absence is a failure.
    """
    path = Path(os.environ.get("DLCOT_TEST_MODEL", REPO / "models" / "smollm2-135m-instruct"))
    if not (path / "config.json").is_file():
        message = f"there is no model at {path} (make model installs it)"
        if os.environ.get("DLCOT_REQUIRE_MODEL"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def shared_ray() -> Iterator[SharedRay]:
    """The Ray of this process; a test says with `use` that it needs it, or with `stop` that it must not run."""
    session = SharedRay()
    yield session
    session.stop()


@pytest.fixture
def ray_session(shared_ray: SharedRay) -> str:
    """Ray runs; returns its address."""
    return shared_ray.use()


@pytest.fixture(scope="session")
def finished_job(tmp_path_factory: pytest.TempPathFactory, shared_ray: SharedRay) -> FinishedJob:
    """A finished job with its input, one for all tests of this process: copy it before you change it."""
    shared_ray.use()
    return make_finished_job(tmp_path_factory.mktemp("finished-job"))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server with the bucket ``dlcot``, one for all tests of this process."""
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Place]:
    """A place of its own on the S3 server, with endpoint, region and credentials in the environment."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    # Connections are kept by what was given in words, and the environment is no part of that.
    s3fs.S3FileSystem.clear_instance_cache()
    yield S3Place(s3_server, "dlcot", uuid4().hex)
    s3fs.S3FileSystem.clear_instance_cache()


_FIRST = (
    "judging/vllm/",
    "faults/",
    "commands/test_vllm_job",
    "commands/refresh/",
    "commands/test_job_on_s3",
    "cluster/",
    "commands/",
    "telemetry/",
    "test_docs",
    "storage/",
)
"""Where the slow tests are, in the order in which they run."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The engine's own tests first: if its versions do not fit together, nothing else has to be waited for.

    Then the slow ones, so that two processes end at about the same time. `make test` runs the tests of a file in
    one process, because they share its fixtures.
    """

    def place(item: pytest.Item) -> int:
        found = [number for number, part in enumerate(_FIRST) if f"tests/{part}" in item.nodeid]
        return min(found, default=len(_FIRST))

    items.sort(key=place)
