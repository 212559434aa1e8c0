"""Image template documents: a file or a dict becomes one image template, not yet filled in."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.pointers import child
from airflow_aib.image_template.text.source_text import SourceText
from airflow_aib.image_template.text.unreadable import refuse_unfit

if TYPE_CHECKING:
    from airflow_aib.image_template.finding import Finding

IMAGE_TEMPLATE_TYPE = "Microsoft.VirtualMachineImages/imageTemplates"

DICT_SOURCE = "<dict>"


@dataclass(frozen=True)
class SiblingResource:
    """Remember another resource of the same deployment file, which `dependsOn` may name.

    :param symbolic_name: its key where `resources` is an object
    :param resource_type: as `Microsoft.Compute/galleries`
    :param name: as written, maybe an expression
    :param location: as written, maybe an expression
    """

    symbolic_name: str | None
    resource_type: str
    name: str
    location: str = ""


@dataclass(frozen=True)
class ImageTemplateDocument:
    """Hold one image template as it was written.

    :param body: the bare resource: location, tags, identity, properties, and what else stood there
    :param name: as written, maybe an expression
    :param symbolic_name: its key, where `resources` of a deployment file is an object
    :param source: the file, or `<dict>`
    :param depends_on: as written: expressions, names, symbolic names or resource ids
    :param parameters: declarations of the deployment file
    :param variables: of the deployment file
    :param siblings: all resources of the deployment file
    :param is_deployment: whether it came in an ARM deployment file, where every bracketed string is an expression
    :param findings: what was noticed while reading
    :param pointer: JSON pointer of the image template in its file
    :param text: the file's text, where it came from one
    :param metadata: of the deployment file, where the image template is not all there is
    """

    body: dict[str, Any]
    name: str | None
    source: str
    symbolic_name: str | None = None
    depends_on: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    siblings: tuple[SiblingResource, ...] = ()
    is_deployment: bool = False
    findings: tuple[Finding, ...] = ()
    pointer: str = ""
    text: SourceText | None = field(default=None, compare=False)
    metadata: dict[str, Any] = field(default_factory=dict)


def read_document(path_or_dict: str | Path | Mapping[str, Any], *, name: str | None = None) -> ImageTemplateDocument:
    """Read an image template: a bare resource, or an ARM deployment file that holds one.

    :param path_or_dict: a JSON file (comments and a byte order mark may stand in it), a YAML file, or the content
    :param name: which image template, where a deployment file holds several: its name as written, or symbolic name
    """
    documents = read_documents(path_or_dict)
    return _choose(documents, name, documents[0].source)


def read_documents(path_or_dict: str | Path | Mapping[str, Any]) -> tuple[ImageTemplateDocument, ...]:
    """Read every image template of a file, of which a deployment file may hold several; there is at least one.

    :param path_or_dict: as `read_document`
    """
    if isinstance(path_or_dict, Mapping):
        return _documents(_private_copy(path_or_dict), DICT_SOURCE)
    return documents_of(read_source(path_or_dict))


def documents_of(text: SourceText) -> tuple[ImageTemplateDocument, ...]:
    """Read every image template of a text, as `read_documents` does of a file."""
    if not text.text.strip():
        raise ImageTemplateReadError(
            f"{text.source} is empty", hint=_EXPECTED, source=text.source, problem="The file is empty"
        )
    content, findings = text.parse()
    if not isinstance(content, dict):
        raise ImageTemplateReadError(
            f"{text.source} holds {_kind_of(content)} instead of an object", hint=_EXPECTED, source=text.source
        )
    return _documents(content, text.source, findings=findings, text=text)


def is_image_template_file(path: str | Path) -> bool:
    """Whether a file looks as if it held an image template: a quick look that never fails.

    What only mentions the service, as a role definition or a pipeline does, is none.
    """
    try:
        # Without NUL characters UTF-16 is read too.
        return _LOOKS_LIKE_ONE.search(Path(path).read_bytes().replace(b"\0", b"")) is not None
    except (OSError, ValueError):
        return False


def read_source(path: str | Path) -> SourceText:
    """Read the text of a file."""
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        # ValueError: no file can have that name, which holds a NUL character or half of another.
        raise ImageTemplateReadError(
            f"Cannot read image template {path}: {getattr(error, 'strerror', None) or error}",
            hint="Operators look for a relative path beside the DAG file, everybody else in the working directory; an "
            "absolute one is always found.",
            source=str(path),
        ) from error
    return decoded_source(content, str(path))


def decoded_source(content: bytes, source: str) -> SourceText:
    """Make a text of what a file holds.

    :param source: the file's name
    """
    # PowerShell's `>` and `Out-File` write UTF-16 with a byte order mark, and Azure's command line reads it.
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return SourceText(content.decode("utf-16" if is_utf16 else "utf-8-sig"), source)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        raise ImageTemplateReadError(
            f"{source} is not {'UTF-16' if is_utf16 else 'UTF-8'} at byte {error.start}",
            hint="Save the file as UTF-8.",
            source=source,
            line=before.count(b"\n") + 1,
            column=error.start - before.rfind(b"\n"),
        ) from error


_LOOKS_LIKE_ONE = re.compile(
    rb"""\btype["']?\s*:\s*["']?Microsoft\.VirtualMachineImages(?:/imageTemplates)?(?:["'\s,}]|\Z)""", re.IGNORECASE
)

_EXPECTED = (
    "Write a resource of type Microsoft.VirtualMachineImages/imageTemplates (location, identity, properties), "
    "or an ARM deployment file that holds one."
)


def _private_copy(content: Mapping[str, Any]) -> dict[str, Any]:
    try:
        copied: dict[str, Any] = json.loads(json.dumps(dict(content), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ImageTemplateReadError(
            f"The image template given as a dict is not JSON: {error}",
            hint="Use dicts with text keys, lists, text, numbers, booleans and None only.",
            source=DICT_SOURCE,
        ) from error
    refuse_unfit(copied, DICT_SOURCE)
    return copied


def _documents(content: dict[str, Any], source: str, **more: Any) -> tuple[ImageTemplateDocument, ...]:
    spelt = _spelt(content)
    if "resources" not in spelt or "properties" in spelt:
        _refuse_other_types(spelt, source)
        return (_document(spelt, source, **more),)
    at = next(f"/{key}" for key in content if key.casefold() == "resources")
    content, resources = spelt, list(_resources(spelt["resources"], at))
    siblings = tuple(
        SiblingResource(
            symbolic, str(other.get("type", "")), str(other.get("name", "")), str(other.get("location") or "")
        )
        for symbolic, _, other in resources
    )
    found = tuple(
        _document(
            body,
            source,
            parameters=_object(content, "parameters", source),
            variables=_object(content, "variables", source),
            siblings=siblings,
            is_deployment=True,
            symbolic_name=symbolic,
            pointer=pointer,
            metadata=content.get("metadata") if isinstance(content.get("metadata"), dict) else {},
            **more,
        )
        for symbolic, pointer, body in resources
        if _is_image_template(body)
    )
    if not found:
        raise _none_found(resources, source)
    return found


def _none_found(resources: Iterable[tuple[str | None, str, dict[str, Any]]], source: str) -> ImageTemplateReadError:
    if any(_is_nested(body) for _, _, body in resources):
        return ImageTemplateReadError(
            f"{source} holds its image template in a nested deployment, whose parameters only Azure can pass on",
            hint="Give the nested deployment's own file, as of a Bicep module: what stands in `properties.template`.",
            source=source,
            is_nested=True,
        )
    return ImageTemplateReadError(f"{source} holds no image template", hint=_EXPECTED, source=source)


def _is_nested(body: Mapping[str, Any]) -> bool:
    """Whether an image template stands somewhere inside a nested deployment, which may itself hold others."""
    nested = _member(_member(body, "properties"), "template")
    return any(_is_image_template(one) or _is_nested(one) for _, _, one in _resources(_member(nested, "resources")))


def _member(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else None


def _document(body: dict[str, Any], source: str, **more: Any) -> ImageTemplateDocument:
    if "properties" not in body and isinstance(body.get("parameters"), dict):
        raise ImageTemplateReadError(
            f"{source} holds the values of parameters, and no image template",
            hint="Pass it as `parameters`, on the command line with --parameters, beside the file that declares them.",
            source=source,
        )
    if not _MEANT_AS_ONE.intersection(body):
        raise ImageTemplateReadError(
            f"{source} is no image template", hint=_EXPECTED, source=source, problem="This is no image template"
        )
    if not isinstance(body.get("properties"), dict):
        raise ImageTemplateReadError(
            f"The image template in {source} has no object 'properties'", hint=_EXPECTED, source=source
        )
    depends_on = body.get("dependsOn") or []
    if not isinstance(depends_on, list):
        raise ImageTemplateReadError(
            f"'dependsOn' in {source} is not a list", hint="Write a list of resource ids or names.", source=source
        )
    name = body.get("name")
    return ImageTemplateDocument(
        body=body,
        name=str(name) if name is not None else None,
        source=source,
        depends_on=tuple(str(item) for item in depends_on),
        **more,
    )


def _resources(resources: Any, at: str = "") -> Iterator[tuple[str | None, str, dict[str, Any]]]:
    """Give symbolic name, pointer and body of each resource of a deployment file, in both of its forms.

    :param at: pointer of them all
    """
    pairs = resources.items() if isinstance(resources, dict) else enumerate(_items(resources))
    for key, body in pairs:
        if isinstance(body, dict):
            yield key if isinstance(key, str) else None, child(at, key), _spelt(body)


def _spelt(content: dict[str, Any]) -> dict[str, Any]:
    """Write the members that we look for as Azure Resource Manager documents them; it ignores their letter case."""
    folded = [key.casefold() for key in content]
    usual = {name.casefold(): name for name in _USUAL_MEMBERS if folded.count(name.casefold()) == 1}
    return {usual.get(key.casefold(), key): value for key, value in content.items()}


# One of these stands in whatever was meant as an image template.
_MEANT_AS_ONE = frozenset({"type", "location", "identity", "properties", "apiVersion"})

_USUAL_MEMBERS = (
    "type", "apiVersion", "name", "location", "tags", "identity", "dependsOn", "condition", "copy", "properties",
    "parameters", "variables", "resources", "metadata",
)  # fmt: skip


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _choose(documents: Sequence[ImageTemplateDocument], name: str | None, source: str) -> ImageTemplateDocument:
    if len(documents) == 1:
        return documents[0]
    wanted = (name or "").casefold()
    chosen = [
        document
        for document in documents
        if wanted and wanted in {(document.symbolic_name or "").casefold(), (document.name or "").casefold()}
    ]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(repr(document.symbolic_name or document.name) for document in documents)
    raise ImageTemplateReadError(
        f"{source} holds {len(documents)} image templates and {name!r} is not exactly one of them: {names}",
        hint="Say which one by its name as it is written there.",
        source=source,
    )


def _is_image_template(body: Mapping[str, Any]) -> bool:
    # Samples in the wild leave the second half away, and the service's type names ignore letter case.
    return str(body.get("type", "")).casefold() in {
        IMAGE_TEMPLATE_TYPE.casefold(),
        IMAGE_TEMPLATE_TYPE.partition("/")[0].casefold(),
    }


def _refuse_other_types(body: Mapping[str, Any], source: str) -> None:
    if "type" in body and not _is_image_template(body):
        raise ImageTemplateReadError(
            f"{source} holds a resource of type {body['type']!r}, not an image template", hint=_EXPECTED, source=source
        )


def _object(content: Mapping[str, Any], key: str, source: str) -> dict[str, Any]:
    value = content.get(key) or {}
    if not isinstance(value, dict):
        raise ImageTemplateReadError(
            f"'{key}' in {source} is not an object",
            hint="Write names with their declarations, in braces.",
            source=source,
        )
    return value


def _kind_of(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(value), "a plain value")
