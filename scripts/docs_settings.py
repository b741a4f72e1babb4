"""A hook of mkdocs: puts the help of a command into a page, so that the page has the defaults of the code.

A line `<!-- settings: enhance -->` becomes what `dlcot enhance --help` prints, as a block of YAML.
"""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

from dlcot_ray.cli import main

MARK = re.compile(r"^<!-- settings: ([\w-]+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with the settings in the place of their marks; mkdocs calls it for every page."""
    return MARK.sub(lambda found: f"```yaml\n{help_of(found[1])}\n```", markdown)


def help_of(command: str) -> str:
    """What a command prints for `--help`.

    Raises:
        ValueError: there is no such command.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main([command, "--help"])
    if status:
        raise ValueError(f"there is no command {command!r}")
    return printed.getvalue().strip()
