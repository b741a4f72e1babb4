"""The options of the viewing commands: argparse, with the errors and exit status of all other commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from dlcot_ray.errors import ConfigError
from dlcot_ray.outputs.layout import Output
from dlcot_ray.storage.store import Store

_OUTPUT = "output="


class Options(argparse.ArgumentParser):
    """A parser of words that name an output first.

    Args:
        command: the command's name.
        description: what it does.
        epilog: how it is used, below the options.
    """

    def __init__(self, command: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            f"dlcot {command}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument(
            "output",
            metavar="OUT",
            type=lambda word: word.removeprefix(_OUTPUT),
            help="an output of dlcot enhance, derive or refresh",
        )
        self.add_argument("--endpoint-url", help="of an S3-compatible store")

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(message, f"{self.prog} --help lists the options")

    def read(self, words: Sequence[str]) -> argparse.Namespace | None:
        """The options; None where the help was asked for. ``output=OUT`` means the same as ``OUT``.

        Raises:
            ConfigError: an option cannot be used.
        """
        try:
            return self.parse_args(words)
        except SystemExit:
            return None


def output_of(given: argparse.Namespace) -> Output:
    """The output that the words name.

    Raises:
        JobError: its store cannot be opened.
    """
    options = {"endpoint_url": given.endpoint_url} if given.endpoint_url else {}
    return Output(Store(given.output, options))
