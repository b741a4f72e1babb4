"""`dlcot view`: serves an output to a browser on this machine, every trace of it; `--label` labels them."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from dlcot_ray.commands.exits import Exit
from dlcot_ray.errors import ConfigError
from dlcot_ray.outputs.layout import Output
from dlcot_ray.report.labelling import LabelFile
from dlcot_ray.report.server import Viewer, address_of, make_server
from dlcot_ray.report.stored import StoredOutput
from dlcot_ray.storage.store import Store


def main(words: Sequence[str]) -> int:
    """Run `dlcot view` until it is interrupted; returns the exit status.

    Raises:
        JobError, InputFault: the output or the labels cannot be read, or the port is taken.
        ConfigError: an option cannot be used.
    """
    parser = argparse.ArgumentParser(
        "dlcot view", description="look at every trace of an output in a browser on this machine"
    )
    parser.add_argument("output", metavar="OUT", help="an output of dlcot enhance, derive or refresh")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1 (default: a free one)")
    parser.add_argument("--label", metavar="READER", help="label traces under this name")
    parser.add_argument("--labels", metavar="FILE", help="the label set (default: labels-READER.jsonl)")
    parser.add_argument("--no-open", action="store_true", help="print the address, open no browser")
    parser.add_argument("--endpoint-url", help="of an S3-compatible store")
    try:
        given = parser.parse_args(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    options = {"endpoint_url": given.endpoint_url} if given.endpoint_url else {}
    labels = _labels(given.label, given.labels)
    viewer = Viewer(StoredOutput(Output(Store(given.output, options))), labels)
    server = make_server(viewer, given.port)
    address = address_of(server, viewer)
    print(f"open {address}", flush=True)
    if labels is not None:
        print(f"labels go to {labels.path.resolve()}", flush=True)
    print("Ctrl-C stops it.", flush=True)
    if not given.no_open:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.server_close()
    return Exit.OK


def _labels(reader: str | None, file: str | None) -> LabelFile | None:
    if reader is None:
        if file is not None:
            raise ConfigError("--labels needs --label READER", "say who labels")
        return None
    if not reader.strip() or any(not (letter.isalnum() or letter in " -_.") for letter in reader):
        raise ConfigError(f"--label {reader!r} is no name", "use letters, digits, '-', '_' and '.'")
    return LabelFile(Path(file or f"labels-{reader.replace(' ', '-')}.jsonl").expanduser(), reader)
