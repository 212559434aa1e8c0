"""What a wait sees its image template through: looks of its own, or those that many waits share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from airflow_aib.hooks.clock import Clock


class ImageTemplateReader(Protocol):
    """Read image templates; `ImageTemplateService` does."""

    async def get_image_template(self, image_template_id: str, *, retries: bool = True) -> dict[str, Any] | None:
        """Give the body, or None when there is none."""
        ...


class Looks(Protocol):
    """Look at one image template, again and again."""

    async def look(self) -> dict[str, Any] | None:
        """Give the look that `rest` has brought, or a new one; None when there is no such image template.

        A look that failed is an `ArmRequestError`.
        """
        ...

    async def rest(self, seconds: float, *, in_person: bool = False) -> None:
        """Rest until it is time for the next look, at the latest after so many seconds.

        :param in_person: whether that look must be at this image template alone, and at its moment
        """
        ...


class SharedLooks(Looks, Protocol):
    """Look at one image template together with others; `FleetLooks` does."""

    image_template_id: str


@dataclass(frozen=True)
class OwnLooks:
    """Look by oneself, with a request for each look.

    :param reader: reads image templates
    :param image_template_id: the one to look at
    :param clock: waits
    """

    reader: ImageTemplateReader
    image_template_id: str
    clock: Clock

    async def look(self) -> dict[str, Any] | None:
        """Ask Azure."""
        return await self.reader.get_image_template(self.image_template_id, retries=False)

    async def rest(self, seconds: float, *, in_person: bool = False) -> None:  # noqa: ARG002 - all are in person here
        """Let the time pass."""
        await self.clock.sleep(seconds)
