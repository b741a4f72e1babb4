"""A night: against a server that answers as the API server does for one resource, over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import start_night
from start_night import Nights, has_ended, night_of, succeeded, surplus

TEMPLATE: dict[str, Any] = {
    "metadata": {
        "name": "dlcot-refresh",
        "namespace": "dlcot",
        "labels": {"app.kubernetes.io/name": "dlcot-ray"},
    },
    "spec": {"suspend": True, "entrypoint": "python jobs/refresh.py", "backoffLimit": 2},
}


class Cluster:
    """RayJobs in memory, and how each new one is to end."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {"dlcot-refresh": json.loads(json.dumps(TEMPLATE))}
        self.ending = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
        self.looks_until_the_end = 2
        self.failures: list[int] = []
        self.tokens: list[str] = []
        self.url = ""

    def look(self, name: str) -> dict[str, Any] | None:
        job = self.jobs.get(name)
        if job is not None and "looks" in job:
            job["looks"] += 1
            if job["looks"] >= self.looks_until_the_end:
                job["status"] = dict(self.ending)
        return job


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    held = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle_one(self) -> None:
            held.tokens.append(self.headers.get("Authorization", ""))
            parts = urlsplit(self.path)
            base = "/apis/ray.io/v1/namespaces/dlcot/rayjobs"
            assert parts.path.startswith(base)
            name = unquote(parts.path[len(base) :].strip("/"))
            if name and held.failures:
                self.answer(held.failures.pop(0), {"message": "not now"})
            elif self.command == "POST":
                made = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                held.jobs[made["metadata"]["name"]] = {**made, "looks": 0}
                self.answer(201, made)
            elif not name:
                key, _, value = parse_qs(parts.query)["labelSelector"][0].partition("=")
                found = [j for j in held.jobs.values() if j["metadata"].get("labels", {}).get(key) == value]
                self.answer(200, {"items": found})
            elif self.command == "DELETE":
                self.answer(200 if held.jobs.pop(name, None) else 404, {})
            else:
                job = held.look(name)
                self.answer(200 if job else 404, job or {"message": f'rayjobs "{name}" not found'})

        do_GET = do_POST = do_DELETE = handle_one

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMESPACE", "dlcot")


def night(cluster: Cluster, *words: str) -> int:
    return start_night.main(["dlcot-refresh", "--poll", "0.01", "--server", cluster.url, *words])


def test_a_night_is_the_template_not_suspended_under_a_name_of_its_own() -> None:
    made = night_of(TEMPLATE, 1_795_482_000.0)
    assert made["metadata"]["name"] == "dlcot-refresh-20261124-010000"
    assert len(made["metadata"]["name"]) <= 47
    assert made["spec"] == {**TEMPLATE["spec"], "suspend": False}
    assert TEMPLATE["spec"]["suspend"] is True
    assert made["metadata"]["labels"]["app.kubernetes.io/name"] == "dlcot-ray"


def test_a_night_that_succeeds_is_waited_for(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert night(cluster) == 0
    (made,) = [job for name, job in cluster.jobs.items() if name != "dlcot-refresh"]
    assert made["looks"] >= 2
    assert made["spec"]["entrypoint"] == TEMPLATE["spec"]["entrypoint"]
    assert "succeeded" in capsys.readouterr().out


def test_a_night_that_fails_fails_the_pod_with_its_reason(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.ending = {"jobDeploymentStatus": "Failed", "reason": "AppFailed", "message": "exit status 3"}
    assert night(cluster) == 1
    assert "AppFailed: exit status 3" in capsys.readouterr().err


def test_complete_is_not_yet_success(cluster: Cluster) -> None:
    cluster.ending = {"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}
    assert night(cluster) == 1


def test_a_second_night_is_left_out_while_one_runs(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    running = night_of(TEMPLATE, time.time() - 86_400)
    cluster.jobs[running["metadata"]["name"]] = {**running, "status": {"jobDeploymentStatus": "Running"}}
    assert night(cluster) == 2
    assert "has not ended" in capsys.readouterr().err
    assert len(cluster.jobs) == 2


def test_old_nights_go_and_others_stay(cluster: Cluster) -> None:
    for days in range(1, 5):
        old = night_of(TEMPLATE, 1_795_482_000.0 - days * 86_400)
        cluster.jobs[old["metadata"]["name"]] = {**old, "status": {"jobDeploymentStatus": "Complete"}}
    cluster.jobs["dlcot-enhance"] = {"metadata": {"name": "dlcot-enhance"}, "spec": {}}
    assert night(cluster, "--keep", "2") == 0
    assert "dlcot-enhance" in cluster.jobs
    kept = sorted(name for name in cluster.jobs if name.startswith("dlcot-refresh-"))
    assert len(kept) == 2
    assert kept[0] == "dlcot-refresh-20261123-010000"


def test_an_api_server_that_stumbles_is_asked_again(cluster: Cluster) -> None:
    nights = Nights(cluster.url, "dlcot", "dlcot-refresh")
    name = nights.create(night_of(nights.template(), time.time()))
    cluster.failures = [503, 500]
    assert succeeded(start_night._ended(nights, name, 0.01))


def test_a_night_that_is_deleted_is_not_waited_for_without_end(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.looks_until_the_end = 1_000_000
    timer = threading.Timer(
        0.3, lambda: [cluster.jobs.pop(n) for n in list(cluster.jobs) if n != "dlcot-refresh"]
    )
    timer.start()
    assert night(cluster) == 2
    timer.join()
    assert "not found" in capsys.readouterr().err


@pytest.mark.parametrize("change", [None, {"suspend": False}])
def test_without_a_template_there_is_no_night(
    change: dict[str, Any] | None, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    if change is None:
        del cluster.jobs["dlcot-refresh"]
    else:
        cluster.jobs["dlcot-refresh"]["spec"].update(change)
    assert night(cluster) == 2
    assert ("not found" if change is None else "not suspended") in capsys.readouterr().err


def test_no_server_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert start_night.main(["dlcot-refresh", "--server", "http://127.0.0.1:9"]) == 2
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert start_night.main(["dlcot-refresh"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "no answer" in lines[0]
    assert "--server" in lines[1]


def test_the_pods_token_is_read_anew_each_time(cluster: Cluster, tmp_path: Path) -> None:
    nights = Nights(cluster.url, "dlcot", "dlcot-refresh", account=tmp_path)
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        nights.template()
    assert cluster.tokens == ["Bearer first", "Bearer second"]


def test_what_has_ended() -> None:
    assert not has_ended({})
    assert not has_ended({"status": {"jobDeploymentStatus": "Retrying"}})
    assert surplus([], 3) == []
