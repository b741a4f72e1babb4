"""The viewer's server answers its own page only, reads units only, and keeps labels that can be read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dlcot_ray.cli import main
from dlcot_ray.errors import JobError
from dlcot_ray.evaluation.cases import SectionsCase
from dlcot_ray.inputs.label_files import read_sets
from dlcot_ray.report.labelling import LabelFile
from dlcot_ray.report.server import Viewer, address_of, make_server
from dlcot_ray.report.stored import StoredOutput
from tests.support.made_output import make_output, row, sum_row


class Client:
    """Asks a server as a browser would, or as somebody else."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.server = make_server(viewer, 0)
        self.port = self.server.server_port
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def ask(
        self, path: str, body: Any = None, *, token: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        given = {"X-Dlcot-Token": self.viewer.token if token is None else token, **(headers or {})}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, data, given)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, dict(answer.headers)

    def json(self, path: str, body: Any = None) -> Any:
        status, text, _ = self.ask(path, body)
        assert status == 200, text
        return json.loads(text)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    rows = [sum_row(number) for number in range(4)]
    output = make_output(tmp_path / "out", [rows, [row("short", "So the answer is 42."), sum_row(9)]])
    made = Client(Viewer(StoredOutput(output), LabelFile(tmp_path / "labels.jsonl", "ana")))
    yield made
    made.server.shutdown()
    made.server.server_close()


UNIT = "part0.r000000000-000000004"


def test_a_request_needs_the_token(client: Client) -> None:
    assert client.ask("/")[0] == 403
    assert client.ask("/?token=wrong")[0] == 403
    assert client.ask(f"/api/trace?unit={UNIT}&row=0", token="")[0] == 403
    assert client.ask("/api/labels", {}, token="wrong")[0] == 403
    status, text, headers = client.ask(f"/?token={client.viewer.token}")
    assert status == 200
    assert text.startswith("<!doctype html>")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert client.viewer.token in address_of(client.server, client.viewer)


def test_a_request_of_another_site_is_refused(client: Client) -> None:
    page = f"/?token={client.viewer.token}"
    assert client.ask(page, headers={"Host": f"evil.example:{client.port}"})[0] == 403
    assert client.ask(page, headers={"Host": "127.0.0.1:1"})[0] == 403
    assert client.ask(page, headers={"Origin": "http://evil.example"})[0] == 403
    assert client.ask(page, headers={"Origin": "null"})[0] == 403
    assert client.ask(page, headers={"Host": f"localhost:{client.port}"})[0] == 200


def test_only_rows_of_the_output_can_be_read(client: Client) -> None:
    for query in (
        "unit=../../etc/passwd&row=0",
        "unit=part0&row=0",
        f"unit={UNIT}&row=-1",
        f"unit={UNIT}",
        "id=nobody",
        "",
    ):
        assert client.ask(f"/api/trace?{query}")[0] == 404, query
    assert client.ask(f"/api/trace?unit={UNIT}&row=99")[0] == 500
    assert client.ask("/api/files")[0] == 404
    assert client.ask(f"/../report.html?token={client.viewer.token}")[0] == 404


def test_every_row_can_be_looked_for(client: Client) -> None:
    client.viewer.labels = None
    found = client.json("/api/rows?status=enhanced&tokens=10..")
    assert len(found["rows"]["id"]) == 5
    assert found["next"] is None
    assert client.json("/api/rows?q=short")["rows"]["id"] == ["short"]
    assert client.json("/api/rows?first=1&by1=r1")["units"] == 2
    assert client.ask("/api/rows?cut=a..b")[0] == 400
    assert client.json("/api/trace?id=sum-9")["unit"].startswith("part1")


def test_the_judges_view_is_hidden_until_a_trace_is_labelled(client: Client) -> None:
    page = client.ask(f"/?token={client.viewer.token}")[1]
    assert "nothing_to_cut" not in page
    place = f"unit={UNIT}&row=0"
    shown = client.json(f"/api/trace?{place}&reveal=yes")
    assert not {"found", "edits", "gates", "tokens"} & shown.keys()
    assert shown["labels"] is None
    count = len(shown["segments"])
    marks = {
        "sections": [{"kind": "solution_explore", "start": 0, "stop": count}],
        "approaches": [{"start": 0, "stop": 2, "label": "correct", "method": 1}],
        "verifications": [{"start": 2, "stop": 3, "kind": "affirmation", "approach": 0}],
        "first_correct_segment": 1,
        "drop": [],
        "needed": [],
        "second_methods": [],
    }
    saved = client.json(f"/api/labels?{place}", marks)
    assert saved["saved"] == "sum-0"
    shown = client.json(f"/api/trace?{place}&reveal=yes")
    assert shown["found"] is not None
    assert shown["labels"]["sections"] == marks["sections"]


def test_labels_are_a_set_that_evaluate_reads(client: Client, tmp_path: Path) -> None:
    shown = client.json(f"/api/trace?unit={UNIT}&row=1")
    marks = {
        "sections": [{"kind": "verify", "start": 0, "stop": len(shown["segments"])}],
        "first_correct_segment": 0,
    }
    client.json(f"/api/labels?unit={UNIT}&row=1", marks)
    client.json(f"/api/verdict?unit={UNIT}&row=1", {"verdict": "TRAIN", "note": "reads on"})
    again = LabelFile(tmp_path / "labels.jsonl", "ana")
    assert again.ids() == ["sum-1"]
    kept = again.get("sum-1")
    assert kept is not None
    assert kept["verdict"] == "TRAIN"
    assert "reasoning" not in kept
    # What was not marked is not labelled.
    assert not {"drop", "drop_chars", "approaches"} & kept.keys()
    trace = client.viewer.stored.load(UNIT, [1])[0].trace
    sets, left_out = read_sets([str(tmp_path / "labels.jsonl")], {"sum-1": trace}, {}, None)
    assert not left_out
    assert any(isinstance(case, SectionsCase) for case in sets[0].cases)


def test_labels_that_contradict_each_other_are_refused(client: Client, tmp_path: Path) -> None:
    status, text, _ = client.ask(
        f"/api/labels?unit={UNIT}&row=0", {"approaches": [{"start": 0, "stop": 999, "label": "correct"}]}
    )
    assert status == 422
    assert "999" in text
    assert client.ask(f"/api/verdict?unit={UNIT}&row=0", {"verdict": "TRAIN"})[0] == 422
    assert client.ask(f"/api/labels?unit={UNIT}&row=0", [1])[0] == 404
    assert client.ask(f"/api/labels?unit={UNIT}&row=0", {}, headers={"Content-Length": "9999999"})[0] == 413
    assert not (tmp_path / "labels.jsonl").exists()


def test_rows_of_other_readers_stay(tmp_path: Path) -> None:
    place = tmp_path / "labels.jsonl"
    place.write_text('{"id": "sum-0", "annotator": "ben", "segments": 3}\n', encoding="utf-8")
    labels = LabelFile(place, "ana")
    assert labels.ids() == []
    stored = StoredOutput(make_output(tmp_path / "out", [[sum_row(0)]]))
    labels.put(stored.load(stored.units()[0], [0])[0].trace, {"first_correct_segment": None})
    assert len(place.read_text(encoding="utf-8").splitlines()) == 2
    place.write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(JobError, match="no label set"):
        LabelFile(place, "ana")


def test_the_command_names_what_it_cannot_use(tmp_path: Path) -> None:
    output = make_output(tmp_path / "out", [[sum_row(0)]])
    place = output.store.given_url
    assert main(["view", place, "--labels", "x.jsonl"]) == 2
    assert main(["view", place, "--label", "../ana"]) == 2
    assert main(["view", str(tmp_path / "absent")]) == 1
    taken = make_server(Viewer(StoredOutput(output)), 0)
    assert main(["view", place, "--no-open", "--port", str(taken.server_port)]) == 1
    taken.server_close()


def test_a_label_without_marks_shows_nothing_of_the_judge(client: Client, tmp_path: Path) -> None:
    status, text, _ = client.ask(f"/api/labels?unit={UNIT}&row=0", {})
    assert status == 422
    assert "nothing is marked yet" in text
    assert "found" not in client.json(f"/api/trace?unit={UNIT}&row=0&reveal=yes")
    assert not (tmp_path / "labels.jsonl").exists()
