"""Secrets in an image template, which Azure shows to everyone who may read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.reading import texts_in
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.secret_patterns import MASK, SecretFound, likely_secrets_in, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate

    Texts = list[tuple[str, str]]

_INLINE = re.compile(r"(?P<step>.*/inline)/\d+")
# Where a secret does not only lie, but is shown: scripts, commands, addresses and tags.
_SHOWN = re.compile(
    r".*/inline/\d+|.*/(?:scriptUri|sourceUri|uri|restartCommand|restartCheckCommand)"
    r"|/tags/.*|.*/(?:artifactTags|managedResourceTags)/.*"
)
_HINT = (
    "Let a script of the build fetch it from a Key Vault with an identity of vmProfile; for files, give the image "
    "template's identity a data role on the storage account."
)


def check_secrets(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report secrets by kind and place, and never by value."""
    for texts in _scripts_and_texts(rendered):
        shown = [(path, _masked(text, rendered.secrets)) for path, text in texts]
        for (path, text), (_, masked) in zip(texts, shown, strict=True):
            if text != masked and _SHOWN.fullmatch(path):
                yield warning(path, "secret-parameter", "The value of a secure parameter is shown here", _HINT)
        for path, kind in _places(shown, secrets_in):
            yield error(path, "secret-in-text", f"Here stands {kind}", f"Take it back now, it is known. {_HINT}")
        for path, kind in _places(shown, likely_secrets_in):
            yield warning(path, "secret-likely", f"This looks like {kind}", _HINT)


def _scripts_and_texts(rendered: RenderedImageTemplate) -> Iterator[Texts]:
    """Give the lines of each script together, since a key may have several, and every other text by itself."""
    script: Texts = []
    step = ""
    for part in ("tags", "properties"):
        for path, text in texts_in(rendered.body.get(part), f"/{part}"):
            line = _INLINE.fullmatch(path)
            if script and (line is None or line["step"] != step):
                yield script
                script = []
            if line is None:
                yield [(path, text)]
            else:
                step = line["step"]
                script.append((path, text))
    if script:
        yield script


def _masked(text: str, secrets: frozenset[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _places(texts: Texts, find: Callable[[str], Iterator[SecretFound]]) -> list[tuple[str, str]]:
    """Give path and kind of each secret, one of a kind for each path."""
    found = find("\n".join(text for _, text in texts))
    return list(dict.fromkeys((_path_at(texts, one.start), one.kind) for one in found))


def _path_at(texts: Texts, offset: int) -> str:
    for path, text in texts:
        if offset <= len(text):
            return path
        offset -= len(text) + 1
    return texts[-1][0]
