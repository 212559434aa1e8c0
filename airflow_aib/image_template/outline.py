"""What a DAG file must know of a document before anything runs: what it is called, and what it makes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Outline:
    """Describe one image template of a document.

    :param name: of the image template, where the document says it
    :param leaves_vhd: whether a VHD stays behind in the staging resource group and must be copied
    :param gallery: compute gallery of the first image version that it makes; None where that is not known yet
    :param image_definition: its image definition
    :param trouble: why the document cannot be read or filled in; empty when it can
    """

    name: str | None = None
    leaves_vhd: bool = False
    gallery: str | None = None
    image_definition: str | None = None
    trouble: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the outline as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Outline:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__ if name in value})
