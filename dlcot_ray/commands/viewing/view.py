"""`dlcot view`: serves an output to a browser on this machine, every trace of it; `--label` labels them."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.viewing.options import Options, output_of
from dlcot_ray.errors import ConfigError
from dlcot_ray.report.labelling import LabelFile
from dlcot_ray.report.server import Viewer, address_of, make_server
from dlcot_ray.report.stored import StoredOutput
from dlcot_ray.terminal import tell

_EPILOG = """\
To label: dlcot view OUT --label ana, open the printed address, choose a trace, mark its parts, save.
The page explains the marks; ? shows all keys. Labels are kept in labels-ana.jsonl.
Two readers compare theirs: dlcot agreement labels-ana.jsonl labels-ben.jsonl traces=OUT"""


def main(words: Sequence[str]) -> int:
    """Run `dlcot view` until it is interrupted; returns the exit status.

    Raises:
        JobError, InputFault: the output or the labels cannot be read, or the port is taken.
        ConfigError: an option cannot be used.
    """
    parser = Options("view", "look at every trace of an output in a browser on this machine", _EPILOG)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1 (default: a free one)")
    parser.add_argument("--label", metavar="READER", help="label traces; READER is your name in the file")
    parser.add_argument("--labels", metavar="FILE", help="the label set (default: labels-READER.jsonl)")
    parser.add_argument("--no-open", action="store_true", help="print the address, open no browser")
    given = parser.read(words)
    if given is None:
        return 0
    labels = _labels(given.label, given.labels)
    viewer = Viewer(StoredOutput(output_of(given)), labels)
    server = make_server(viewer, given.port)
    address = address_of(server, viewer)
    tell(f"open {address}")
    if labels is not None:
        tell(f"labels go to {labels.path.resolve()}")
    tell("Ctrl-C stops it.")
    if not given.no_open:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        tell("stopped")
        if labels is not None:
            for line in _next_steps(labels, given.output):
                tell(line)
    finally:
        server.server_close()
    return Exit.OK


def _next_steps(labels: LabelFile, output: str) -> list[str]:
    count = len(labels.ids())
    if not count:
        return ["nothing was labelled"]
    return [
        f"{count:,} traces are labelled in {labels.path}",
        f"next: a second reader labels the same traces: dlcot view {output} --label NAME",
        f"then: dlcot agreement {labels.path} labels-NAME.jsonl traces={output}",
    ]


def _labels(reader: str | None, file: str | None) -> LabelFile | None:
    if reader is None:
        if file is not None:
            raise ConfigError("--labels needs --label READER", "say who labels")
        return None
    if not reader.strip() or any(not (letter.isalnum() or letter in " -_.") for letter in reader):
        raise ConfigError(f"--label {reader!r} is no name", "use letters, digits, '-', '_' and '.'")
    return LabelFile(Path(file or f"labels-{reader.replace(' ', '-')}.jsonl").expanduser(), reader)
