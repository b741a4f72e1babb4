"""A server on this machine for one person: the page of an output, and every trace of it on demand.

It listens on 127.0.0.1 only. It answers a request that names this host (so that no other site's name can be
pointed here) and brings the token (so that no other user or page can ask). It reads units of the output that
the listing has, and writes the label file, nothing else.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.evaluation.rows import LabelError
from dlcot_ray.report.detail import Json, source_detail, trace_detail
from dlcot_ray.report.labelling import LabelFile
from dlcot_ray.report.page import page
from dlcot_ray.report.payload import Payload, make_payload, to_json
from dlcot_ray.report.search import look, place_of_id
from dlcot_ray.report.stored import Place, StoredOutput, StoredTrace

HOST = "127.0.0.1"
MOST_BODY = 2_000_000
"""Bytes of a request; labels of a trace with a hundred thousand segments fit."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Refused(Exception):
    """A request that is not answered, with its HTTP status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Viewer:
    """What the server shows.

    Attributes:
        stored: the output.
        labels: where labels go; None where nothing is labelled.
        token: what every request has to bring.
        payload: the data of the page.
        units: the units that may be read.
    """

    stored: StoredOutput
    labels: LabelFile | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    payload: Payload = field(init=False)
    units: list[str] = field(init=False)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.units = self.stored.units()
        self.payload = make_payload(self.stored, text_bytes=0)

    def page(self) -> bytes:
        """The page."""
        reader = self.labels.reader if self.labels is not None else None
        known = self.labels.ids() if self.labels is not None else []
        file = str(self.labels.path) if self.labels is not None else None
        server = {
            "token": self.token,
            "label": reader,
            "file": file,
            "labelled": known,
            "units": len(self.units),
        }
        return page(self.payload if reader is None else blind(self.payload), server=server)

    def answer(self, what: str, query: Mapping[str, str]) -> Json:
        """The answer to a question of the page.

        Raises:
            Refused: there is no such thing.
            InputFault, JobError: the output cannot be read.
        """
        if what == "trace":
            return self._trace(query)
        if what == "rows":
            return self._rows(query)
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no {what!r} here")

    def save(self, what: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Json:
        """Keep labels or a verdict.

        Raises:
            Refused: nothing is labelled here.
            LabelError: the labels contradict each other.
            InputFault, JobError: the trace cannot be read, or the file cannot be written.
        """
        if self.labels is None:
            raise Refused(HTTPStatus.FORBIDDEN, "this server keeps no labels: start it with --label READER")
        shown = self._stored(query)
        with self._lock:
            if what == "labels":
                self.labels.put(shown.trace, body)
            elif what == "verdict":
                note = str(body.get("note", ""))[:2000]
                policy = str(shown.row["policy"])
                self.labels.judge(shown.trace.trace_id, str(body.get("verdict")), note, policy)
            else:
                raise Refused(HTTPStatus.NOT_FOUND, f"there is no {what!r} here")
        return {"saved": shown.trace.trace_id, "file": str(self.labels.path)}

    def _trace(self, query: Mapping[str, str]) -> Json:
        shown = self._stored(query)
        if self.labels is None:
            return trace_detail(shown)
        labels = self.labels.get(shown.trace.trace_id)
        # The judge's view is shown only to a reader who has labelled the trace.
        if labels is not None and query.get("reveal") == "yes":
            return {**trace_detail(shown), "labels": labels}
        return {**source_detail(shown), "labels": labels}

    def _rows(self, query: Mapping[str, str]) -> Json:
        groups = self.payload.summary["groups"]
        try:
            found = look(self.stored, self.units, groups, query, int(query.get("first", "0")))
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"a filter is no range of numbers ({error})") from error
        return {"rows": found.rows, "next": found.following, "units": found.units}

    def _stored(self, query: Mapping[str, str]) -> StoredTrace:
        if "id" in query:
            place = place_of_id(self.stored, self.units, query["id"])
        elif query.get("unit") in self.units and query.get("row", "").isdecimal():
            place = Place(query["unit"], int(query["row"]))
        else:
            place = None
        if place is None:
            raise Refused(HTTPStatus.NOT_FOUND, "the output holds no such trace")
        return self.stored.load(place.unit, [place.row])[0]


def blind(payload: Payload) -> Payload:
    """The data for a reader who labels: which traces there are, and nothing that the judge found."""
    facts = payload.summary["facts"]
    count = len(facts["id"])
    used = {*facts["unit"], *(word for words in facts["groups"] for word in words)}
    hidden = {
        "words": [*(word if at in used else "" for at, word in enumerate(facts["words"])), ""],
        "status": [len(facts["words"])] * count,
        "reason": [len(facts["words"])] * count,
        "after": facts["before"],
        "stopped": [[]] * count,
        "cuts": [[]] * count,
        **{name: [-1] * count for name in ("approaches", "checks", "arrival", "confidence")},
    }
    shown = ("format", "output", "command", "version", "groups", "sample")
    empty = ("reasons", "causes", "passed", "gates", "labels", "judges", "lengths", "rejected")
    return Payload(
        {
            **{name: payload.summary[name] for name in shown},
            **{name: [] for name in empty},
            "totals": {},
            "about": {"settings": {}, "files": [], "faults": [], "run": {}, "versions": {}},
            "facts": {**facts, **hidden},
        },
        (),
    )


def make_server(viewer: Viewer, port: int) -> ThreadingHTTPServer:
    """A server that is ready to serve; port 0 takes a free one.

    Raises:
        JobError: the port is taken.
    """

    class Handler(_Handler):
        shown = viewer

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
        Handler.shown_port = server.server_port
    except OSError as error:
        raise JobError(f"port {port} cannot be used ({reason_of(error)})", "set another --port") from error
    server.daemon_threads = True
    return server


def address_of(server: ThreadingHTTPServer, viewer: Viewer) -> str:
    """What to open in a browser."""
    return f"http://{HOST}:{server.server_port}/?token={viewer.token}"


class _Handler(BaseHTTPRequestHandler):
    """Checks each request before it is answered."""

    shown: Viewer
    shown_port: int
    protocol_version = "HTTP/1.1"
    server_version = "dlcot"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._guarded(self._get)

    def do_POST(self) -> None:
        self._guarded(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests hold the token."""

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            self._check_host()
            act()
        except Refused as refused:
            self._send_json({"error": refused.message}, refused.status)
        except LabelError as error:
            self._send_json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        except (InputFault, JobError, KeyError, TypeError, ValueError) as error:
            self._send_json({"error": reason_of(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)
        except ConnectionError:
            self.close_connection = True

    def _get(self) -> None:
        place, query = self._asked()
        if place == "/":
            self._check_token(query.get("token", ""))
            self._send(self.shown.page(), "text/html; charset=utf-8")
        elif place.startswith("/api/"):
            self._check_token(self.headers.get("X-Dlcot-Token", ""))
            self._send_json(self.shown.answer(place.removeprefix("/api/"), query))
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self) -> None:
        place, query = self._asked()
        self._check_token(self.headers.get("X-Dlcot-Token", ""))
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BODY:
            self.close_connection = True
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BODY} bytes are taken")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
        if not place.startswith("/api/") or not isinstance(body, dict):
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        self._send_json(self.shown.save(place.removeprefix("/api/"), query, body))

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))

    def _check_host(self) -> None:
        port = self.shown_port
        names = {f"{HOST}:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in names or (origin and origin.removeprefix("http://") not in names):
            self.close_connection = True
            raise Refused(HTTPStatus.FORBIDDEN, "this server answers its own address only")

    def _check_token(self, given: str) -> None:
        if not hmac.compare_digest(given.encode(), self.shown.token.encode()):
            self.close_connection = True
            raise Refused(HTTPStatus.FORBIDDEN, "the token is missing or wrong: open the printed address")

    def _send_json(self, content: Json, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(to_json(content).encode("utf-8", "replace"), "application/json; charset=utf-8", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
