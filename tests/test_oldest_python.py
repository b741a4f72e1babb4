"""The oldest interpreter at hand gives the same annotations and edits: Debian 12 comes with Python 3.11.2."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support import REPO

SYSTEM = Path("/usr/bin/python3")
DIGEST = """
import hashlib, sys
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.judging.rules.judge import RulesJudge
from tests.support.hostile import traces
judge, policy, found = RulesJudge(), parse_policy(DEFAULT_POLICY), hashlib.sha256()
for trace in traces(300, 3):
    annotation = judge.annotate(trace)
    found.update(repr((annotation, enhance(trace, annotation, policy))).encode())
judge.close()
print(found.hexdigest())
"""


def _run(python: str, code: str) -> subprocess.CompletedProcess[str]:
    # The packages of this environment fit every interpreter of the same minor version.
    paths = f"{REPO}:{sysconfig.get_path('purelib')}"
    return subprocess.run(
        [python, "-c", code],
        env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.timeout(1300)
def test_the_system_python_gives_the_same_result() -> None:
    if not SYSTEM.exists():
        pytest.skip("there is no /usr/bin/python3")
    version = _run(str(SYSTEM), "import sys; print(*sys.version_info[:2])").stdout.split()
    if version != [str(part) for part in sys.version_info[:2]]:
        pytest.skip(f"/usr/bin/python3 is {'.'.join(version)}, and its packages are not installed")
    old, new = _run(str(SYSTEM), DIGEST), _run(sys.executable, DIGEST)
    assert old.returncode == 0, old.stderr[-2000:]
    assert old.stdout == new.stdout
