"""Where shipped configuration and labels lie: beside the package in a checkout, inside it in a wheel.

The YAML files stay at the repository's root, where people look for them; the wheel carries a copy as
`dlcot_ray/conf`. The packaged copy is tried first, because a directory called `conf` next to an
installed package belongs to somebody else.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def gold_dirs() -> tuple[Path, Path]:
    """The label set that comes with dlcot, and the traces that it labels.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for labels, traces in (
        (_PACKAGE / "gold", _PACKAGE / "gold_traces"),
        (_PACKAGE.parent / "examples" / "gold", _PACKAGE.parent / "examples" / "shards"),
    ):
        if labels.is_dir() and traces.is_dir():
            return labels, traces
    raise FileNotFoundError("the gold set is missing; reinstall dlcot-ray")


def conf_dir() -> Path:
    """The directory that holds `dataset/`, `judge/`, `policy/` and the other configuration groups.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / "conf", _PACKAGE.parent / "conf"):
        if (candidate / "dataset").is_dir():
            return candidate
    raise FileNotFoundError(
        f"no configuration at {_PACKAGE / 'conf'} or {_PACKAGE.parent / 'conf'}; reinstall dlcot-ray"
    )
