"""What is a credential, and how it is kept out of everything that is stored, logged or shown.

One scrubber serves all outlets: errors, log lines, `_job.json`, the manifest. It strikes out

- the values of environment variables whose names look like credentials, and those of fsspec's configuration,
- keys that a judge sends to its server, whatever their variable is called (`keep_secret`),
- the values that the user's settings took from the environment (`remember`), which are shown as written,
- passwords in URLs, signatures of presigned URLs, and authorization headers.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_CREDENTIAL = re.compile(
    r"secret|passw|passphrase|credential|bearer|authorization|cookie|webhook"
    r"|token(?!s|iz|_count|_limit)"
    r"|(?:access|account|api|private|customer|shared|storage|encryption|signing|master|ssh|license)_?key"
    r"|connection_?str|signature(?!_version)|^key$|^pwd$|^pat$|_pat$|^sas|_sas$|^dsn$|_dsn$",
    re.IGNORECASE,
)
_PERHAPS_CREDENTIAL = re.compile(r"key|auth|sas|header", re.IGNORECASE)
_SIGNED = (
    r"X-Amz-[A-Za-z-]{1,30}|X-Goog-[A-Za-z-]{1,30}|sig|signature|token|sv|se|sp|AWSAccessKeyId|GoogleAccessId"
    r"|Key-Pair-Id|Policy|access_token|api_key|apikey|key|password|secret|auth"
)
_CREDENTIAL_IN_TEXT = re.compile(
    r"(?:(?<=://)|(?<=\w:/)(?!/))[^/\s@:]{1,256}:[^/\s@]{1,2048}(?=@)"
    rf"|(?<=[?&;])(?:{_SIGNED})=[^&\s'\"]{{1,8192}}"
    r"|(?<=Bearer )[\w.~+/=-]{8,8192}|(?<=Basic )[\w+/=]{8,8192}"
    r"|(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[^;\s'\"]{1,4096}",
    re.IGNORECASE,
)
"""A user and password in a URL, signed or secret parameters, authorization headers, connection strings."""
_SHORTEST_SECRET = 8
"""Shorter values of environment variables are kept: they would strike out ordinary words."""
_ALWAYS_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_NEVER_SECRET = frozenset({"PWD", "OLDPWD"})
"""The shell's working directories: `pwd` is a password only as the name of an option."""

_LONG_SECRET = 16
"""From this length on, a secret is also struck out inside longer texts that are stored."""

_NO_SECRET = "google_default"
"""A method of gcsfs's `token`, the only one as long as a secret."""

_kept: set[str] = set()
"""Secrets whose names do not tell."""
_taken: dict[str, str] = {}
"""Values that settings took from the environment -> how the user wrote them."""
_unstored: set[str] = set()
"""Those of them that are stored as written, too."""


def names_credential(name: str, *, broad: bool = False) -> bool:
    """Whether a setting, an option or an environment variable of this name looks like a credential.

    Args:
        name: e.g. ``aws_secret_access_key``.
        broad: also match names that only contain ``key``, ``auth``, ``sas`` or ``header``. Use this to strike
            out values from texts, where a false alarm costs nothing.
    """
    return bool(_CREDENTIAL.search(name) or (broad and _PERHAPS_CREDENTIAL.search(name)))


def keep_secret(value: str) -> None:
    """From now on, strike out this value in this process, e.g. the key that a judge sends to its server."""
    if len(value) >= _SHORTEST_SECRET:
        _kept.add(value)


def secrets_in(options: Mapping[str, object], least: int = 4, *, sensitive: bool = False) -> Iterator[str]:
    """The values of nested options whose names, or those of a group around them, may be credentials.

    Args:
        options: of a store.
        least: characters of the shortest value that counts.
        sensitive: all of them are.
    """
    for key, value in options.items():
        here = sensitive or names_credential(str(key), broad=True)
        if isinstance(value, Mapping):
            yield from secrets_in(value, least, sensitive=here)
        elif here and isinstance(value, str) and len(value) >= least:
            yield value


def environment_secrets() -> tuple[str, ...]:
    """Values of the environment variables whose names look like credentials, and what else is known as such.

    The path of an existing file or folder is none: ``GOOGLE_APPLICATION_CREDENTIALS`` says where a secret
    lies, and struck out of a stored path it would make the path name something else.
    """
    named = (value for name, value in os.environ.items() if value and _is_secret(name, value))
    # Not imported here: where no store was opened, nothing of it can be shown.
    stores = getattr(sys.modules.get("fsspec.config"), "conf", {})
    configured = (value for value in secrets_in(stores, _SHORTEST_SECRET) if value != _NO_SECRET)
    return tuple(dict.fromkeys((*named, *configured, *_kept)))


def _is_secret(name: str, value: str) -> bool:
    if name in _ALWAYS_SECRET:
        return True
    if name in _NEVER_SECRET or len(value) < _SHORTEST_SECRET or not names_credential(name):
        return False
    # Not `Path.exists`, which raises where a long secret is no possible file name.
    return not (value.startswith("/") and os.path.exists(value))  # noqa: PTH110


def remember(value: str, written: str, *, stored: bool) -> None:
    """From now on, show this value of a setting as the user wrote it, e.g. ``${oc.env:ENDPOINT}``.

    Args:
        value: short ones are kept, because they are parts of ordinary words.
        written: what the user wrote.
        stored: whether the value itself may be stored, because later commands need it.
    """
    if len(value) >= _SHORTEST_SECRET:
        _taken[value] = written
        if not stored:
            _unstored.add(value)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with ``***`` in place of these secrets and of credentials that can be told by their form."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _CREDENTIAL_IN_TEXT.sub("***", text)


def scrubbed(text: str) -> str:
    """`text` as it may be logged or shown."""
    for value, written in sorted(_taken.items(), key=lambda item: -len(item[0])):
        text = text.replace(value, written)
    return redacted(text, sorted(environment_secrets(), key=len, reverse=True))


def showable(value: Any) -> Any:
    """A value of plain JSON types with every text in it as it may be logged or shown."""
    if isinstance(value, Mapping):
        return {key: showable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [showable(item) for item in value]
    return scrubbed(value) if isinstance(value, str) else value


def storable(value: Any) -> Any:
    """A value of plain JSON types as it may be stored.

    Short secrets are struck out only where they are a whole text: a bucket may have such a word in its name.
    """
    if isinstance(value, Mapping):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if not isinstance(value, str):
        return value
    for taken in sorted(_unstored, key=len, reverse=True):
        value = value.replace(taken, _taken[taken])
    secrets = environment_secrets()
    whole = "***" if value in secrets else value
    return redacted(whole, (item for item in secrets if len(item) >= _LONG_SECRET))


def is_withheld(value: object) -> bool:
    """Whether a stored value stands for one that was not stored."""
    return isinstance(value, str) and ("***" in value or "${" in value)


def holds_credential(text: str) -> bool:
    """Whether a text holds a password, a signature or a value of an environment variable for credentials."""
    return redacted(text, environment_secrets()) != text
