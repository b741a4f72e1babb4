"""The texts that the model judge sends, from a YAML file that users can replace.

In: `dlcot.yaml`, and a user's file that replaces some of its keys. Out: `Prompts`. The digest over
the result is part of the judge's identity, so that changed prompts judge every trace anew and answers to
different questions never mix.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

import yaml

from dlcot_ray.errors import reason_of

_PACKAGED = "dlcot.yaml"


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts by name. `digest`: 8 hex digits over all of them."""

    texts: Mapping[str, str]
    digest: str

    def render(self, name: str, **values: object) -> str:
        """The text called `name`, filled in. Values are inserted as they are and never expanded again."""
        return _filled(self.texts[name], values)

    def question(self, wording: str, values: Mapping[str, object]) -> str:
        """A question's text: the one called `wording`, or `wording` itself where there is none."""
        return _filled(self.texts.get(wording, wording), values)


def load_prompts(path: str | None = None) -> Prompts:
    """The packaged prompts, overlaid with those of the YAML file at `path`.

    Raises:
        ValueError: the file cannot be used; the message names it and says why.
    """
    packaged = _parsed(
        resources.files(__package__).joinpath(_PACKAGED).read_text(encoding="utf-8"), _PACKAGED
    )
    texts = dict(packaged)
    if path is not None:
        try:
            given = _parsed(Path(path).read_text(encoding="utf-8"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the prompts {path} cannot be read ({error})") from error
        for name, text in given.items():
            if name not in packaged:
                raise ValueError(f"{path}: there is no prompt {name!r}; there are {', '.join(packaged)}")
            _check_names(path, name, text, packaged[name])
            texts[name] = text
    digest = hashlib.blake2b(repr(sorted(texts.items())).encode(), digest_size=4).hexdigest()
    return Prompts(texts, digest)


def _filled(text: str, values: Mapping[str, object]) -> str:
    return Template(text).substitute({key: str(value) for key, value in values.items()})


def _parsed(content: str, path: str) -> dict[str, str]:
    try:
        loaded = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError(f"the prompts {path} are not YAML ({reason_of(error, line=0)})") from error
    if not isinstance(loaded, dict):
        raise ValueError(f"the prompts {path} must hold name: text pairs")
    for name, text in loaded.items():
        if name != "version" and not isinstance(text, str):
            raise ValueError(f"{path}: the prompt {name!r} must be text")
    return {str(name): str(text) for name, text in loaded.items()}


def _check_names(path: str, name: str, text: str, packaged: str) -> None:
    template, known = Template(text), set(Template(packaged).get_identifiers())
    if not template.is_valid():
        raise ValueError(f"{path}: the prompt {name!r} has a stray $ (write $$ for the sign itself)")
    unknown = sorted(set(template.get_identifiers()) - known)
    if unknown:
        raise ValueError(
            f"{path}: the prompt {name!r} has no value for ${unknown[0]}; it has {sorted(known)}"
        )
