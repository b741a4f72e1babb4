"""The root of a refresh: the pointer that readers follow, and the catalogue of snapshots.

Both are single small objects, so that each change is one compare-and-swap. The pointer also holds everything
that must change together with it: earlier publications, and withdrawn snapshots. The catalogue is written
before the first object of a snapshot and after its last one. So it names everything in `snapshots/`, and no
refresh needs to list that folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from dlcot_ray.errors import JobError
from dlcot_ray.outputs.layout import Output
from dlcot_ray.storage.store import Store

FORMAT = 1
POINTER_FILE = "latest.json"
CATALOGUE_FILE = "snapshots.json"
SNAPSHOTS = "snapshots"
_HISTORY = 100
"""Publications that the pointer keeps."""


class State(StrEnum):
    """The state of a snapshot."""

    STAGING = "staging"
    """A refresh is making it, or was interrupted."""
    FINISHED = "finished"
    """It is complete and has its report. Whether it is published is for the pointer to say."""
    REMOVING = "removing"
    """Its objects are being removed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot, as recorded in the catalogue.

    Attributes:
        name: name of its folder.
        identity: hash of inputs and settings; two snapshots of one identity have the same content.
        settings: fingerprint of the settings alone.
        judge: identity of the judge.
        by: the columns by which its report is grouped.
        started: seconds since 1970.
        state: see `State`.
        unusable: number of inputs that could not be read.
    """

    name: str
    identity: str
    settings: str
    judge: str
    by: tuple[str, ...]
    started: float
    state: State = State.STAGING
    unusable: int = 0

    @property
    def folder(self) -> str:
        """Its folder below the root."""
        return f"{SNAPSHOTS}/{self.name}"


@dataclass(frozen=True, slots=True)
class Publication:
    """A snapshot became the latest one at this time (seconds since 1970)."""

    snapshot: str
    at: float


@dataclass(frozen=True, slots=True)
class Pointer:
    """`latest.json`: which snapshot readers take, and which they took before.

    Attributes:
        history: publications, the latest first; readers take the snapshot of the first one.
        withdrawn: snapshots that were rolled back; a refresh does not publish them again by itself.
    """

    history: tuple[Publication, ...]
    withdrawn: tuple[str, ...] = ()

    @property
    def snapshot(self) -> str:
        """The snapshot that readers take."""
        return self.history[0].snapshot

    def moved_to(self, snapshot: str, at: float, *, back: bool = False) -> Pointer:
        """The pointer on another snapshot; `back` withdraws the snapshot that it leaves."""
        gone = (*self.withdrawn, self.snapshot) if back else self.withdrawn
        withdrawn = tuple(name for name in dict.fromkeys(gone) if name != snapshot)
        return Pointer((Publication(snapshot, at), *self.history)[:_HISTORY], withdrawn)

    def mentions(self, snapshot: str) -> bool:
        """Whether a snapshot of that name was ever published or withdrawn."""
        return snapshot in self.withdrawn or any(item.snapshot == snapshot for item in self.history)

    def current_until(self, snapshot: str) -> float:
        """When a snapshot stopped being the latest (seconds since 1970).

        Infinity if it still is the latest; 0 if it never was.
        """
        until = float("inf")
        for publication in self.history:
            if publication.snapshot == snapshot:
                return until
            until = publication.at
        return 0.0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`snapshots.json`: every snapshot below the root, oldest first; `version` is that of the object read."""

    snapshots: tuple[Snapshot, ...] = ()
    version: str | None = field(default=None, compare=False)

    def get(self, name: str | None) -> Snapshot | None:
        """The snapshot of that name."""
        return next((item for item in self.snapshots if item.name == name), None)

    def including(self, snapshot: Snapshot) -> Catalogue:
        """With this snapshot added; it replaces an entry of the same name."""
        if self.get(snapshot.name) is None:
            return replace(self, snapshots=(*self.snapshots, snapshot))
        entries = (snapshot if old.name == snapshot.name else old for old in self.snapshots)
        return replace(self, snapshots=tuple(entries))

    def without(self, name: str) -> Catalogue:
        """Without the snapshot of that name."""
        return replace(self, snapshots=tuple(item for item in self.snapshots if item.name != name))


class ChangedMeanwhile(JobError):
    """A compare-and-swap failed: another refresh changed the root. This refresh changes nothing more."""


class Root:
    """The store of a refresh: where its objects are, and compare-and-swap of pointer and catalogue.

    Args:
        url: the output of the refresh.
        options: fsspec options of its store.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.store = Store(url, options)
        self._options = options

    def output(self, snapshot: Snapshot) -> Output:
        """The folder of a snapshot, as the output of a job."""
        return Output(Store(f"{self.store.given_url.rstrip('/')}/{snapshot.folder}", self._options))

    def pointer(self) -> tuple[Pointer | None, str | None]:
        """The pointer and its version; both None before the first publication.

        Raises:
            JobError: it is damaged, or another version of dlcot wrote it.
        """
        content, version = self._read(POINTER_FILE)
        if content is None:
            return None, None
        try:
            history = tuple(
                Publication(item["snapshot"], _seconds(item["published"])) for item in content["history"]
            )
            return Pointer(history, tuple(content["withdrawn"])), version
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._damaged(POINTER_FILE) from error

    def publish(self, pointer: Pointer, version: str | None) -> None:
        """Replace the pointer if it still has this version.

        Raises:
            ChangedMeanwhile: it has another one.
        """
        latest = pointer.history[0]
        content = {
            "format": FORMAT,
            "snapshot": latest.snapshot,
            "path": f"{SNAPSHOTS}/{latest.snapshot}",
            "published": _iso(latest.at),
            "history": [{"snapshot": item.snapshot, "published": _iso(item.at)} for item in pointer.history],
            "withdrawn": list(pointer.withdrawn),
        }
        self._replace(POINTER_FILE, content, version)

    def catalogue(self) -> Catalogue:
        """The catalogue; empty before the first snapshot.

        Raises:
            JobError: it is damaged, or another version of dlcot wrote it.
        """
        content, version = self._read(CATALOGUE_FILE)
        if content is None:
            return Catalogue()
        try:
            found = [
                Snapshot(**{**item, "by": tuple(item["by"]), "state": State(item["state"])})
                for item in content["snapshots"]
            ]
            return Catalogue(tuple(found), version)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(CATALOGUE_FILE) from error

    def record(self, catalogue: Catalogue) -> Catalogue:
        """Replace the stored catalogue if it still has the version that was read.

        Returns:
            The catalogue with its new version.

        Raises:
            ChangedMeanwhile: the stored one has another version.
        """
        content = {"format": FORMAT, "snapshots": [asdict(item) for item in catalogue.snapshots]}
        return replace(catalogue, version=self._replace(CATALOGUE_FILE, content, catalogue.version))

    def _read(self, name: str) -> tuple[dict[str, Any] | None, str | None]:
        found = self.store.read_versioned(name)
        if found is None:
            return None, None
        try:
            content = json.loads(found.data)
            if content["format"] == FORMAT:
                return content, found.version
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(name) from error
        raise JobError(
            f"{self.store.url(name)} has format {content['format']}, this version of dlcot writes {FORMAT}",
            "use the version that wrote it, or another output",
        )

    def _replace(self, name: str, content: Mapping[str, Any], version: str | None) -> str:
        data = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
        written = self.store.compare_and_swap(name, data, version)
        if written is None:
            raise ChangedMeanwhile(
                f"{self.store.url(name)} was changed by another refresh meanwhile",
                "this refresh stops; look at what the other one did (action=list), then run again",
            )
        return written

    def _damaged(self, name: str) -> JobError:
        return JobError(f"{self.store.url(name)} is damaged", "restore it, or choose another output")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
