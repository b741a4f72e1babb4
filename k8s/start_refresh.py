"""Starts one refresh: copies a suspended RayJob, waits for the copy, and exits with its result.

    python k8s/start_refresh.py TEMPLATE [--keep N] [--poll SECONDS]

The pod of a CronJob runs this for as long as the refresh takes. So `concurrencyPolicy: Forbid` prevents two
refreshes at a time, and the history of the CronJob shows the result of each refresh. The RayJob to copy is
part of the same `kubectl apply` as everything else, so there is no second manifest that could differ.

It needs four requests for one resource only, so it calls the API server directly. The Kubernetes client
library takes 80 MB, and requires a version of dateutil that conflicts with botocore.
Exit status: 0 the refresh succeeded, 1 it failed, 2 it was not started.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

TEMPLATE_LABEL = "dlcot/refresh-of"
"""Label of every copy: the name of the RayJob that it is a copy of."""

_ENDED = ("Complete", "Failed")
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S = 30.0
_MAX_MISSES = 10
"""How many polls in a row may fail, for example during an upgrade of the API server."""


def copy_of(template: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The RayJob of one refresh: the spec of the template, not suspended.

    Args:
        template: the suspended RayJob.
        now: seconds since 1970; the date and time (UTC) become part of the copy's name.
    """
    meta = template["metadata"]
    name = f"{meta['name']}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}"
    labels = {**meta.get("labels", {}), TEMPLATE_LABEL: meta["name"]}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": name, "labels": labels},
        "spec": {**template["spec"], "suspend": False},
    }


def has_ended(job: Mapping[str, Any]) -> bool:
    """Whether a RayJob has ended, including its retries."""
    return job.get("status", {}).get("jobDeploymentStatus") in _ENDED


def succeeded(job: Mapping[str, Any]) -> bool:
    """Whether a RayJob that has ended succeeded."""
    status = job.get("status", {})
    return bool(status.get("jobDeploymentStatus") == "Complete" and status.get("jobStatus") == "SUCCEEDED")


def surplus(jobs: Sequence[Mapping[str, Any]], keep: int) -> list[str]:
    """Names of the ended RayJobs, without the `keep` latest ones."""
    ended = sorted(job["metadata"]["name"] for job in jobs if has_ended(job))
    return ended[: max(0, len(ended) - keep)]


class ApiError(Exception):
    """The API server does not answer or refuses. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RefreshJobs:
    """The RayJobs that are copies of one template, read and changed through the API server.

    Args:
        server: its URL, e.g. ``https://10.0.0.1:443``, or the URL of a `kubectl proxy`.
        namespace: namespace of the template.
        template: name of the template.
        account: directory with the pod's token and the server's certificate. A missing one is not used.
    """

    def __init__(self, server: str, namespace: str, template: str, account: Path = _ACCOUNT) -> None:
        self._base = f"{server.rstrip('/')}/apis/ray.io/v1/namespaces/{namespace}/rayjobs"
        self._template, self._account = template, account

    def template(self) -> dict[str, Any]:
        """The RayJob to copy."""
        return self.get(self._template)

    def get(self, name: str) -> dict[str, Any]:
        """One RayJob.

        Raises:
            ApiError: there is none of that name, or the request failed.
        """
        return self._ask("GET", f"/{name}")

    def all(self) -> list[dict[str, Any]]:
        """Every copy of the template that exists."""
        found: list[dict[str, Any]] = self._ask(
            "GET", params={"labelSelector": f"{TEMPLATE_LABEL}={self._template}"}
        )["items"]
        return found

    def create(self, job: Mapping[str, Any]) -> str:
        """Create a RayJob; returns its name."""
        return str(self._ask("POST", json=job)["metadata"]["name"])

    def delete(self, name: str) -> None:
        """Delete a RayJob; a missing one is no error."""
        try:
            self._ask("DELETE", f"/{name}")
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def _ask(self, method: str, path: str = "", **words: Any) -> dict[str, Any]:
        token, authority = self._account / "token", self._account / "ca.crt"
        # Read for every request, because Kubernetes replaces the token while the pod runs.
        headers = {"Authorization": f"Bearer {token.read_text().strip()}"} if token.is_file() else {}
        verify = str(authority) if authority.is_file() else True
        try:
            answer = requests.request(
                method, f"{self._base}{path}", headers=headers, verify=verify, timeout=_TIMEOUT_S, **words
            )
            content: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ApiError(0, f"no answer from the API server ({type(error).__name__})") from error
        if not answer.ok:
            raise ApiError(
                answer.status_code, f"{answer.status_code}: {content.get('message', answer.reason)}"
            )
        return content


def run(jobs: RefreshJobs, keep: int, poll_s: float) -> int:
    """Start a refresh, wait until it has ended, delete old RayJobs; returns the exit status."""
    template = jobs.template()
    if not template["spec"].get("suspend"):
        return _complain(f"RayJob {template['metadata']['name']} is no template: it is not suspended", 2)
    running = [job["metadata"]["name"] for job in jobs.all() if not has_ended(job)]
    if running:
        return _complain(f"{', '.join(running)} has not ended; no new refresh is started", 2)
    name = jobs.create(copy_of(template, time.time()))
    print(f"started RayJob {name}", flush=True)
    job = _ended(jobs, name, poll_s)
    for old in surplus(jobs.all(), keep):
        jobs.delete(old)
        print(f"deleted RayJob {old}: only the {keep} latest ones are kept", flush=True)
    status = job.get("status", {})
    if succeeded(job):
        print(f"RayJob {name} succeeded", flush=True)
        return 0
    reason = status.get("reason") or status.get("jobStatus") or "unknown reason"
    return _complain(f"RayJob {name} failed: {reason}: {status.get('message', '')}", 1)


def _ended(jobs: RefreshJobs, name: str, poll_s: float) -> dict[str, Any]:
    """The RayJob once it has ended; a few failed polls in a row are tolerated."""
    misses = 0
    while True:
        try:
            job, misses = jobs.get(name), 0
            if has_ended(job):
                return job
        except ApiError as error:
            misses += 1
            if error.status == HTTPStatus.NOT_FOUND or misses > _MAX_MISSES:
                raise
        time.sleep(poll_s)


def _complain(message: str, status: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return status


def _server() -> str:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ApiError(0, "this is not a pod of a cluster; set --server, e.g. to that of a `kubectl proxy`")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _namespace() -> str:
    file = _ACCOUNT / "namespace"
    return os.environ.get("NAMESPACE") or (file.read_text().strip() if file.is_file() else "dlcot")


def main(words: Sequence[str] | None = None) -> int:
    """Start one refresh with the credentials of the pod; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("template", help="the suspended RayJob to copy")
    parser.add_argument("--keep", type=int, default=14, help="ended RayJobs to keep (default: 14)")
    parser.add_argument("--poll", type=float, default=15.0, help="seconds between polls (default: 15)")
    parser.add_argument("--server", help="URL of the API server (default: that of the pod's cluster)")
    options = parser.parse_args(words)
    try:
        jobs = RefreshJobs(options.server or _server(), _namespace(), options.template)
        return run(jobs, options.keep, options.poll)
    except ApiError as error:
        return _complain(f"{options.template}: {error}", 2)


if __name__ == "__main__":
    sys.exit(main())
