"""A few endpoints of the Hugging Face hub on 127.0.0.1: enough to list, read, write and delete files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

_API = re.compile(
    r"/api/datasets/(?P<repo>[^/]+/[^/]+)(?:/(?P<verb>[\w-]+)/(?P<revision>[^/]+)(?:/(?P<path>.+))?)?"
)
_FILE = re.compile(r"/datasets/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")

Files = dict[str, bytes]


class FakeHub:
    """Repositories with their commits, the last of which is `main`.

    Attributes:
        commits: name of a repository -> its commits, each with its hash and all files.
        token: the token that every request must carry; empty for none.
        asked: revisions whose files were read.
    """

    def __init__(self) -> None:
        self.commits: dict[str, list[tuple[str, Files]]] = {}
        self.token = ""
        self.asked: set[str] = set()
        self.endpoint = ""

    def commit(self, repo: str, files: Files) -> str:
        """Replace all files of a repository; returns the hash of the commit."""
        history = self.commits.setdefault(repo, [])
        content = json.dumps([len(history), sorted((k, v.hex()) for k, v in files.items())])
        history.append((hashlib.sha1(content.encode()).hexdigest(), dict(files)))
        return history[-1][0]

    def files(self, repo: str, revision: str = "main") -> tuple[str, Files] | None:
        """The hash and the files of a revision."""
        history = self.commits.get(repo, [])
        if revision == "main" and history:
            return history[-1]
        return next((item for item in history if item[0] == revision), None)


@contextmanager
def running(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve a hub; its `endpoint` is set meanwhile."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        found = _API.fullmatch(path) or _FILE.fullmatch(path)
        if self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
        if found is None or found["repo"] not in self.hub.commits:
            return self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        state = self.hub.files(found["repo"], found["revision"] or "main")
        if state is None:
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if found.re is _FILE:
            return self._file(state[1].get(found["path"]), found["revision"])
        return self._api(found, state, body)

    def _api(self, found: re.Match[str], state: tuple[str, Files], body: bytes) -> None:
        commit, files = state
        verb, repo = found["verb"], found["repo"]
        if verb in (None, "revision"):
            return self._json({"id": repo, "sha": commit, "siblings": [], "private": False, "tags": []})
        if verb == "tree":
            entries = _tree(files, (found["path"] or "").strip("/"))
            return self._json(entries) if entries else self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        if verb == "preupload":
            names = [item["path"] for item in json.loads(body)["files"]]
            modes = [{"path": n, "uploadMode": "regular", "shouldIgnore": False, "oid": None} for n in names]
            return self._json({"files": modes})
        if verb == "commit":
            changed = dict(files)
            for line in body.splitlines():
                entry = json.loads(line)
                value = entry["value"]
                if entry["key"] == "file":
                    changed[value["path"]] = base64.b64decode(value["content"])
                if entry["key"] == "deletedFile":
                    if value["path"] not in changed:
                        return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
                    del changed[value["path"]]
            made = self.hub.commit(repo, changed)
            url = f"{self.hub.endpoint}/datasets/{repo}/commit/{made}"
            return self._json({"commitUrl": url, "commitOid": made, "success": True})
        return self._send(404, b"", {})

    def _file(self, data: bytes | None, revision: str) -> None:
        if data is None:
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        self.hub.asked.add(revision)
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if span is None:
            return self._send(200, data, {})
        part = data[int(span[1]) : int(span[2] or len(data)) + 1]
        return self._send(206, part, {})

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _tree(files: Files, folder: str) -> list[dict[str, Any]]:
    prefix = f"{folder}/" if folder else ""
    inside = {name: data for name, data in files.items() if name.startswith(prefix)}
    folders = {name.rpartition("/")[0] for name in inside if "/" in name[len(prefix) :]}
    return [
        *({"type": "directory", "path": name, "oid": name, "size": 0} for name in sorted(folders)),
        *(
            {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for name, data in sorted(inside.items())
        ),
    ]
