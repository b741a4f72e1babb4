"""Starting a refresh, over real HTTP, on a server that answers like the API server for one resource."""

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
import start_refresh
from start_refresh import RefreshJobs, copy_of, has_ended, succeeded, surplus

TEMPLATE: dict[str, Any] = {
    "metadata": {
        "name": "dlcot-refresh",
        "namespace": "dlcot",
        "labels": {"app.kubernetes.io/name": "dlcot-ray"},
    },
    "spec": {"suspend": True, "entrypoint": "python jobs/refresh.py", "backoffLimit": 2},
}


class Cluster:
    """RayJobs in memory, and the status with which each new one ends."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {"dlcot-refresh": json.loads(json.dumps(TEMPLATE))}
        self.ending = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
        self.polls_until_the_end = 2
        self.failures: list[int] = []
        self.tokens: list[str] = []
        self.url = ""

    def poll(self, name: str) -> dict[str, Any] | None:
        job = self.jobs.get(name)
        if job is not None and "polls" in job:
            job["polls"] += 1
            if job["polls"] >= self.polls_until_the_end:
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
                held.jobs[made["metadata"]["name"]] = {**made, "polls": 0}
                self.answer(201, made)
            elif not name:
                key, _, value = parse_qs(parts.query)["labelSelector"][0].partition("=")
                found = [j for j in held.jobs.values() if j["metadata"].get("labels", {}).get(key) == value]
                self.answer(200, {"items": found})
            elif self.command == "DELETE":
                self.answer(200 if held.jobs.pop(name, None) else 404, {})
            else:
                job = held.poll(name)
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


def start(cluster: Cluster, *words: str) -> int:
    return start_refresh.main(["dlcot-refresh", "--poll", "0.01", "--server", cluster.url, *words])


def test_a_refresh_is_a_copy_of_the_template_that_is_not_suspended() -> None:
    made = copy_of(TEMPLATE, 1_795_482_000.0)
    assert made["metadata"]["name"] == "dlcot-refresh-20261124-010000"
    assert len(made["metadata"]["name"]) <= 47
    assert made["spec"] == {**TEMPLATE["spec"], "suspend": False}
    assert TEMPLATE["spec"]["suspend"] is True
    assert made["metadata"]["labels"]["app.kubernetes.io/name"] == "dlcot-ray"


def test_a_refresh_that_succeeds_gives_status_0_at_its_end(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(cluster) == 0
    (made,) = [job for name, job in cluster.jobs.items() if name != "dlcot-refresh"]
    assert made["polls"] >= 2
    assert made["spec"]["entrypoint"] == TEMPLATE["spec"]["entrypoint"]
    assert "succeeded" in capsys.readouterr().out


def test_a_refresh_that_fails_gives_status_1_and_the_reason(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.ending = {"jobDeploymentStatus": "Failed", "reason": "AppFailed", "message": "exit status 3"}
    assert start(cluster) == 1
    assert "AppFailed: exit status 3" in capsys.readouterr().err


def test_a_stopped_job_is_complete_but_did_not_succeed(cluster: Cluster) -> None:
    cluster.ending = {"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}
    assert start(cluster) == 1


def test_no_refresh_is_started_while_another_one_runs(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    running = copy_of(TEMPLATE, time.time() - 86_400)
    cluster.jobs[running["metadata"]["name"]] = {**running, "status": {"jobDeploymentStatus": "Running"}}
    assert start(cluster) == 2
    assert "has not ended" in capsys.readouterr().err
    assert len(cluster.jobs) == 2


def test_old_copies_are_deleted_and_other_jobs_are_kept(cluster: Cluster) -> None:
    for days in range(1, 5):
        old = copy_of(TEMPLATE, 1_795_482_000.0 - days * 86_400)
        cluster.jobs[old["metadata"]["name"]] = {**old, "status": {"jobDeploymentStatus": "Complete"}}
    cluster.jobs["dlcot-enhance"] = {"metadata": {"name": "dlcot-enhance"}, "spec": {}}
    assert start(cluster, "--keep", "2") == 0
    assert "dlcot-enhance" in cluster.jobs
    kept = sorted(name for name in cluster.jobs if name.startswith("dlcot-refresh-"))
    assert len(kept) == 2
    assert kept[0] == "dlcot-refresh-20261123-010000"


def test_a_failed_poll_is_repeated(cluster: Cluster) -> None:
    jobs = RefreshJobs(cluster.url, "dlcot", "dlcot-refresh")
    name = jobs.create(copy_of(jobs.template(), time.time()))
    cluster.failures = [503, 500]
    assert succeeded(start_refresh._ended(jobs, name, 0.01))


def test_the_wait_ends_if_the_job_is_deleted(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.polls_until_the_end = 1_000_000
    timer = threading.Timer(
        0.3, lambda: [cluster.jobs.pop(n) for n in list(cluster.jobs) if n != "dlcot-refresh"]
    )
    timer.start()
    assert start(cluster) == 2
    timer.join()
    assert "not found" in capsys.readouterr().err


@pytest.mark.parametrize("change", [None, {"suspend": False}])
def test_without_a_suspended_template_no_refresh_is_started(
    change: dict[str, Any] | None, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    if change is None:
        del cluster.jobs["dlcot-refresh"]
    else:
        cluster.jobs["dlcot-refresh"]["spec"].update(change)
    assert start(cluster) == 2
    assert ("not found" if change is None else "not suspended") in capsys.readouterr().err


def test_a_missing_server_is_reported_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start_refresh.main(["dlcot-refresh", "--server", "http://127.0.0.1:9"]) == 2
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert start_refresh.main(["dlcot-refresh"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "no answer" in lines[0]
    assert "--server" in lines[1]


def test_the_token_of_the_pod_is_read_for_every_request(cluster: Cluster, tmp_path: Path) -> None:
    jobs = RefreshJobs(cluster.url, "dlcot", "dlcot-refresh", account=tmp_path)
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        jobs.template()
    assert cluster.tokens == ["Bearer first", "Bearer second"]


def test_a_retrying_job_has_not_ended() -> None:
    assert not has_ended({})
    assert not has_ended({"status": {"jobDeploymentStatus": "Retrying"}})
    assert surplus([], 3) == []
