"""The root of a refresh: the pointer that readers follow, and the catalogue of nights.

Both are single small objects, so that each change is one atomic put on the condition that the object still
is what was read. The pointer carries what must change together with it (what was published before, what was
withdrawn); the catalogue is written before a snapshot's first object and after its last, so that whatever
lies in `snapshots/` is known, and nobody has to list it.
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
CATALOGUE_FILE = "nights.json"
SNAPSHOTS = "snapshots"
_HISTORY = 100
"""Publications that the pointer remembers."""


class State(StrEnum):
    """How far a night came."""

    STAGING = "staging"
    """Being made, or broken off."""
    FINISHED = "finished"
    """Complete, with its report; published if the pointer says so."""
    REMOVING = "removing"
    """Its objects are being removed."""


@dataclass(frozen=True, slots=True)
class Night:
    """One snapshot, as the catalogue knows it.

    Attributes:
        name: of its folder.
        identity: of inputs and settings; two nights of one identity have the same content.
        settings: fingerprint of the settings alone.
        judge: identity of the judge.
        by: columns by which its facts are grouped.
        started: seconds since 1970.
        state: how far it came.
        unusable: inputs that could not be read.
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
    """That a snapshot became the latest, and when (seconds since 1970)."""

    snapshot: str
    at: float


@dataclass(frozen=True, slots=True)
class Pointer:
    """`latest.json`.

    Attributes:
        history: publications, the latest first; the first one's snapshot is what readers take.
        withdrawn: snapshots that somebody went back from; they are not published again by themselves.
    """

    history: tuple[Publication, ...]
    withdrawn: tuple[str, ...] = ()

    @property
    def snapshot(self) -> str:
        """What readers take."""
        return self.history[0].snapshot

    def to(self, snapshot: str, at: float, *, back: bool = False) -> Pointer:
        """The pointer moved to another snapshot; `back` withdraws the one it leaves."""
        gone = (*self.withdrawn, self.snapshot) if back else self.withdrawn
        withdrawn = tuple(name for name in dict.fromkeys(gone) if name != snapshot)
        return Pointer((Publication(snapshot, at), *self.history)[:_HISTORY], withdrawn)

    def knows(self, snapshot: str) -> bool:
        """Whether a snapshot of that name was ever published or withdrawn."""
        return snapshot in self.withdrawn or any(item.snapshot == snapshot for item in self.history)

    def last_read(self, snapshot: str) -> float:
        """Until when readers may have taken a snapshot (infinity: they still do); 0 for never."""
        until = float("inf")
        for publication in self.history:
            if publication.snapshot == snapshot:
                return until
            until = publication.at
        return 0.0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`nights.json`: every snapshot below the root, oldest first; `version` is that of the object read."""

    nights: tuple[Night, ...] = ()
    version: str | None = field(default=None, compare=False)

    def get(self, name: str | None) -> Night | None:
        """The night of that name."""
        return next((night for night in self.nights if night.name == name), None)

    def having(self, night: Night) -> Catalogue:
        """With this night added, or in the place of the one of its name."""
        if self.get(night.name) is None:
            return replace(self, nights=(*self.nights, night))
        return replace(self, nights=tuple(night if old.name == night.name else old for old in self.nights))

    def without(self, name: str) -> Catalogue:
        """Without the night of that name."""
        return replace(self, nights=tuple(night for night in self.nights if night.name != name))


class Overtaken(JobError):
    """Another refresh changed the root meanwhile; this one changes nothing more."""


class Root:
    """The store of a refresh: what is where, and conditional changes of it."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.store = Store(url, options)
        self._options = options

    def output(self, night: Night) -> Output:
        """A snapshot as the output of a job."""
        return Output(Store(f"{self.store.given_url.rstrip('/')}/{night.folder}", self._options))

    def pointer(self) -> tuple[Pointer | None, str | None]:
        """The pointer and its version; both None before the first publication.

        Raises:
            JobError: it is damaged or of another version of dlcot.
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
        """Switch readers over, if the pointer still is the one of `version`.

        Raises:
            Overtaken: it is not.
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
        """Every snapshot that there is.

        Raises:
            JobError: the catalogue is damaged or of another version of dlcot.
        """
        content, version = self._read(CATALOGUE_FILE)
        if content is None:
            return Catalogue()
        try:
            nights = [
                Night(**{**item, "by": tuple(item["by"]), "state": State(item["state"])})
                for item in content["nights"]
            ]
            return Catalogue(tuple(nights), version)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(CATALOGUE_FILE) from error

    def record(self, catalogue: Catalogue) -> Catalogue:
        """Write the catalogue, if the stored one still is that which was read; returns it as written.

        Raises:
            Overtaken: it is not.
        """
        content = {"format": FORMAT, "nights": [asdict(night) for night in catalogue.nights]}
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
        written = self.store.put_if_version(name, data, version)
        if written is None:
            raise Overtaken(
                f"{self.store.url(name)} was changed by another refresh meanwhile",
                "this one stops: see what that one did (action=list), then run again",
            )
        return written

    def _damaged(self, name: str) -> JobError:
        return JobError(f"{self.store.url(name)} is damaged", "restore it, or choose another output")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
