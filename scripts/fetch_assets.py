"""Fetch the JavaScript libraries of the report from npm, by pinned hash, into the package.

Their files are committed, so that installing and running the package needs no npm. Run this after a change of
a version here: ``python scripts/fetch_assets.py`` (needs `npm` on the path). It writes the files as they are
published, except KaTeX's style sheet, into which the fonts are embedded.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "dlcot_ray" / "report" / "assets" / "vendor"
FONTS = (
    "AMS-Regular",
    "Caligraphic-Regular",
    "Main-Regular",
    "Main-Bold",
    "Main-Italic",
    "Math-Italic",
    "Size1-Regular",
    "Size2-Regular",
    "Size3-Regular",
    "Size4-Regular",
    "Typewriter-Regular",
)
"""Fonts of KaTeX that traces need; the rest would add half a megabyte, and falls back to the text's font."""


@dataclass(frozen=True, slots=True)
class Library:
    """A package of npm.

    Attributes:
        name, version: of the package.
        sha512: of its archive, base64 as npm prints it.
        files: path in the archive -> name here.
    """

    name: str
    version: str
    sha512: str
    files: Mapping[str, str]


LIBRARIES = (
    Library(
        "katex",
        "0.19.1",
        "jG8uKntjSEcm2EpQOh0XturpPuuC9r3Sq5HLHdsFdWZT27E672SF19QEi+of0/YeOy15lDgRhKvr5614uRrEfA==",
        {"dist/katex.min.js": "katex.min.js", "LICENSE": "katex.LICENSE"},
    ),
    Library(
        "uplot",
        "1.6.32",
        "KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        {
            "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "dist/uPlot.min.css": "uPlot.min.css",
            "LICENSE": "uPlot.LICENSE",
        },
    ),
    Library(
        "@highlightjs/cdn-assets",
        "11.12.0",
        "KvOKXODaiFmId9xaq3xc5xCL66wVLUuOngDbO9B/kewbFTqdGbn2nJxNhN3H5R1cgDTVj6R8vH0zgiNDEGjpDw==",
        {"highlight.min.js": "highlight.min.js", "LICENSE": "highlight.LICENSE"},
    ),
)


def main() -> int:
    """Fetch all libraries; 1 if an archive is not the pinned one."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for library in LIBRARIES:
            archive = _archive(library, Path(folder))
            found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if found != library.sha512:
                print(f"{library.name} {library.version}: the archive's hash is {found}", file=sys.stderr)
                return 1
            _extract(library, archive)
    return 0


def _archive(library: Library, folder: Path) -> Path:
    place = folder / library.name.replace("/", "-")
    place.mkdir()
    command = ["npm", "pack", f"{library.name}@{library.version}", "--silent"]
    subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
    return next(place.glob("*.tgz"))


def _extract(library: Library, archive: Path) -> None:
    with tarfile.open(archive) as tar:
        for inside, name in library.files.items():
            (TARGET / name).write_bytes(_read(tar, inside))
        if library.name == "katex":
            style = _read(tar, "dist/katex.min.css").decode()
            (TARGET / "katex.min.css").write_text(_with_fonts(style, tar), encoding="utf-8")


def _with_fonts(style: str, tar: tarfile.TarFile) -> str:
    """The style sheet with the fonts of `FONTS` as data, and without the others."""

    def face(match: re.Match[str]) -> str:
        name = re.search(r"fonts/KaTeX_([\w-]+)\.woff2", match.group())
        if name is None or name.group(1) not in FONTS:
            return ""
        data = base64.b64encode(_read(tar, f"dist/fonts/KaTeX_{name.group(1)}.woff2")).decode()
        source = f'src:url(data:font/woff2;base64,{data}) format("woff2")'
        return re.sub(r"src:[^;}]*", lambda _: source, match.group())

    return re.sub(r"@font-face\{[^}]*\}", face, style)


def _read(tar: tarfile.TarFile, inside: str) -> bytes:
    file = tar.extractfile(f"package/{inside}")
    if file is None:
        raise FileNotFoundError(inside)
    return file.read()


if __name__ == "__main__":
    sys.exit(main())
