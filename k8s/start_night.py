"""One night: copies a suspended RayJob, waits until the copy has ended, and ends as it did.

    python k8s/start_night.py TEMPLATE [--keep N] [--poll SECONDS]

A CronJob's pod runs this, so that `concurrencyPolicy: Forbid` and the CronJob's history are about nights and
not about the act of starting one. The RayJob to copy is part of the same `kubectl apply` as everything else:
no second manifest that could drift. Four requests to one resource are all it asks of the API server, so it
makes them itself: the Kubernetes client library is 80 MB and needs a dateutil that botocore refuses.
Exit status: 0 the night succeeded, 1 it failed, 2 it did not begin.
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

TEMPLATE_LABEL = "dlcot/night-of"
"""On every night: the name of the RayJob that it is a copy of."""

_ENDED = ("Complete", "Failed")
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_S = 30.0
_MAX_MISSES = 10
"""Polls in a row that may fail, while the API server is upgraded, say."""


def night_of(template: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The RayJob of one night: the template's spec, not suspended, named by UTC date and time."""
    meta = template["metadata"]
    name = f"{meta['name']}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}"
    labels = {**meta.get("labels", {}), TEMPLATE_LABEL: meta["name"]}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": name, "labels": labels},
        "spec": {**template["spec"], "suspend": False},
    }


def has_ended(night: Mapping[str, Any]) -> bool:
    """Whether a RayJob has come to its end, retries included."""
    return night.get("status", {}).get("jobDeploymentStatus") in _ENDED


def succeeded(night: Mapping[str, Any]) -> bool:
    """Whether a RayJob that has ended did its work."""
    status = night.get("status", {})
    return bool(status.get("jobDeploymentStatus") == "Complete" and status.get("jobStatus") == "SUCCEEDED")


def surplus(nights: Sequence[Mapping[str, Any]], keep: int) -> list[str]:
    """Names of the ended nights beyond the `keep` latest ones."""
    ended = sorted(night["metadata"]["name"] for night in nights if has_ended(night))
    return ended[: max(0, len(ended) - keep)]


class ApiError(Exception):
    """The API server cannot be reached, or refused. `status` is the HTTP status, 0 for no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Nights:
    """The nights of one template, as the API server knows them.

    Args:
        server: e.g. ``https://10.0.0.1:443``, or that of a `kubectl proxy`.
        namespace: where the template is.
        template: its name.
        account: directory with the pod's token and the server's certificate; without them neither is used.
    """

    def __init__(self, server: str, namespace: str, template: str, account: Path = _ACCOUNT) -> None:
        self._base = f"{server.rstrip('/')}/apis/ray.io/v1/namespaces/{namespace}/rayjobs"
        self._template, self._account = template, account

    def template(self) -> dict[str, Any]:
        """The RayJob to copy."""
        return self.get(self._template)

    def get(self, name: str) -> dict[str, Any]:
        """One RayJob."""
        return self._ask("GET", f"/{name}")

    def all(self) -> list[dict[str, Any]]:
        """Every night that is still there."""
        found: list[dict[str, Any]] = self._ask(
            "GET", params={"labelSelector": f"{TEMPLATE_LABEL}={self._template}"}
        )["items"]
        return found

    def create(self, night: Mapping[str, Any]) -> str:
        """Start a night; returns its name."""
        return str(self._ask("POST", json=night)["metadata"]["name"])

    def delete(self, name: str) -> None:
        """Forget a night; it is no error if it is gone."""
        try:
            self._ask("DELETE", f"/{name}")
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def _ask(self, method: str, path: str = "", **words: Any) -> dict[str, Any]:
        token, authority = self._account / "token", self._account / "ca.crt"
        # Read each time: the token of a pod is replaced while it runs.
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


def run(nights: Nights, keep: int, poll_s: float) -> int:
    """Start a night, wait for its end, forget old ones; returns the exit status."""
    template = nights.template()
    if not template["spec"].get("suspend"):
        return _complain(f"RayJob {template['metadata']['name']} is no template: it is not suspended", 2)
    running = [night["metadata"]["name"] for night in nights.all() if not has_ended(night)]
    if running:
        return _complain(f"{', '.join(running)} has not ended; this night is left out", 2)
    name = nights.create(night_of(template, time.time()))
    print(f"started RayJob {name}", flush=True)
    night = _ended(nights, name, poll_s)
    for old in surplus(nights.all(), keep):
        nights.delete(old)
        print(f"deleted RayJob {old}, more than {keep} nights are kept", flush=True)
    status = night.get("status", {})
    if succeeded(night):
        print(f"RayJob {name} succeeded", flush=True)
        return 0
    reason = status.get("reason") or status.get("jobStatus") or "unknown reason"
    return _complain(f"RayJob {name} failed: {reason}: {status.get('message', '')}", 1)


def _ended(nights: Nights, name: str, poll_s: float) -> dict[str, Any]:
    misses = 0
    while True:
        try:
            night, misses = nights.get(name), 0
            if has_ended(night):
                return night
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
        raise ApiError(0, "not in a cluster; give --server, e.g. that of a `kubectl proxy`")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _namespace() -> str:
    file = _ACCOUNT / "namespace"
    return os.environ.get("NAMESPACE") or (file.read_text().strip() if file.is_file() else "dlcot")


def main(words: Sequence[str] | None = None) -> int:
    """Run one night with the credentials of the pod."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("template", help="the suspended RayJob to copy")
    parser.add_argument("--keep", type=int, default=14, help="ended nights to keep (default: 14)")
    parser.add_argument("--poll", type=float, default=15.0, help="seconds between looks (default: 15)")
    parser.add_argument("--server", help="API server (default: that of the cluster the pod runs in)")
    options = parser.parse_args(words)
    try:
        nights = Nights(options.server or _server(), _namespace(), options.template)
        return run(nights, options.keep, options.poll)
    except ApiError as error:
        return _complain(f"{options.template}: {error}", 2)


if __name__ == "__main__":
    sys.exit(main())
