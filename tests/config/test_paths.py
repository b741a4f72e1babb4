from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dlcot_ray.config.paths
from dlcot_ray.config.paths import conf_dir


def test_configuration_is_found_beside_the_package_and_inside_it(tmp_path: Path) -> None:
    """A wheel has `conf` inside the package; a foreign `conf` next to it must not be taken."""
    assert (conf_dir() / "dataset" / "plain.yaml").is_file()
    package = tmp_path / "dlcot_ray"
    for directory in (package / "conf" / "dataset", tmp_path / "conf" / "dataset"):
        directory.mkdir(parents=True)
    (package / "config").mkdir()
    for module in (package, package / "config"):
        (module / "__init__.py").touch()
    shutil.copy(dlcot_ray.config.paths.__file__, package / "config")
    program = "from dlcot_ray.config.paths import conf_dir; print(conf_dir())"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str(package / "conf")
