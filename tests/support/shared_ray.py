"""One Ray session per test process, shared by all tests that need a Ray, because a start costs ten seconds of CPU."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dlcot_ray.cluster.nodes import start_ray, stop_ray
from tests.support import REPO


class SharedRay:
    """The Ray session of this test process: started at its first use, and again where a variable is missing.

    Variables of earlier tests stay: a test that needs none of them is not disturbed by an S3 server's address.
    """

    def __init__(self) -> None:
        self._environment: Mapping[str, str] | None = None

    def use(self, environment: Mapping[str, str] | None = None) -> str:
        """Make sure that Ray runs, with these variables in the environment of its workers.

        Returns:
            The address, for jobs in processes of their own.
        """
        wanted = dict(environment or {})
        known = self._environment
        if known is None or not wanted.items() <= known.items():
            wanted = {**(known or {}), **wanted}
            self.stop()
            with pytest.MonkeyPatch.context() as patch:
                # The workers import the judges of the tests from here.
                patch.setenv("PYTHONPATH", str(REPO))
                for name, value in wanted.items():
                    patch.setenv(name, value)
                assert start_ray("local")
            self._environment = wanted
        return self.address

    @property
    def address(self) -> str:
        """The address of the running session."""
        import ray

        return str(ray.get_runtime_context().gcs_address)

    def stop(self) -> None:
        """Stop Ray if it runs, for tests that start one of their own."""
        if self._environment is not None:
            stop_ray()
            self._environment = None
