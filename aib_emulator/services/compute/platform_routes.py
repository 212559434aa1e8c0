"""The marketplace over HTTP: its lists are bare arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.body_style import BodyStyle
from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import is_known, short_name
from aib_emulator.arm.route import SUBSCRIPTION, Route
from aib_emulator.arm.versions import version_order
from aib_emulator.services.compute.aliases import alias_document
from aib_emulator.services.compute.shapes import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aib_emulator.services.compute.catalogue import PlatformImage
    from aib_emulator.services.compute.resources import ComputeResources

GIBIBYTE = 1024**3


def platform_routes(compute: ComputeResources) -> list[Route]:
    """Return the routes of the marketplace."""
    images = PlatformImageRoutes(compute)
    publishers = f"{SUBSCRIPTION}/providers/{NAMESPACE}/locations/{{location}}/publishers"
    offers = f"{publishers}/{{publisher}}/artifacttypes/vmimage/offers"
    skus = f"{offers}/{{offer}}/skus"
    versions = f"{skus}/{{sku}}/versions"
    actions = f"{NAMESPACE}/locations/publishers"
    return [
        Route("GET", "/aliases.json", images.list_aliases, needs_token=False, needs_api_version=False),
        Route("GET", publishers, images.list_publishers, f"{actions}/read"),
        Route("GET", offers, images.list_offers, f"{actions}/artifacttypes/offers/read"),
        Route("GET", skus, images.list_skus, f"{actions}/artifacttypes/offers/skus/read"),
        Route("GET", versions, images.list_versions, f"{actions}/artifacttypes/offers/skus/versions/read"),
        Route(
            "GET", f"{versions}/{{version}}", images.get_version, f"{actions}/artifacttypes/offers/skus/versions/read"
        ),
    ]


class PlatformImageRoutes:
    """Answer the calls about marketplace images.

    :param compute: knows the catalogue
    """

    def __init__(self, compute: ComputeResources) -> None:
        self._catalogue = compute.catalogue

    async def list_aliases(self, _: Call) -> Answer:
        """List the short names of images: a document at an address of its own, which anybody may read."""
        return Answer(200, alias_document(self._catalogue))

    async def list_publishers(self, call: Call) -> Answer:
        """List the publishers."""
        return self._entries(call, [(publisher,) for publisher in self._catalogue.publishers()])

    async def list_offers(self, call: Call) -> Answer:
        """List the offers of a publisher."""
        publisher = call.parameters["publisher"]
        return self._entries(call, [(publisher, offer) for offer in self._catalogue.offers(publisher)])

    async def list_skus(self, call: Call) -> Answer:
        """List the SKUs of an offer."""
        publisher, offer = call.parameters["publisher"], call.parameters["offer"]
        return self._entries(call, [(publisher, offer, sku) for sku in self._catalogue.skus(publisher, offer)])

    async def list_versions(self, call: Call) -> Answer:
        """List the versions of an image; `$top` and `$orderby` decide which and in which order."""
        _demand_location(call)
        image = self._image(call)
        is_descending = call.query.get("$orderby", "").lower().endswith(" desc")
        names = sorted(image.versions, key=version_order, reverse=is_descending)
        top = call.query.get("$top", "")
        chosen = names[: int(top)] if top.isdigit() else names
        expand = call.query.get("$expand", "").lower()
        return Answer(200, [_version(call, image, name, expand) for name in chosen], style=BodyStyle.COMPUTE)

    async def get_version(self, call: Call) -> Answer:
        """Show one version; `latest` is not one."""
        _demand_location(call)
        image, name = self._image(call), call.parameters["version"]
        if name not in image.versions:
            raise _artifact_not_found()
        return Answer(200, _version(call, image, name, "properties"), style=BodyStyle.COMPUTE)

    def _image(self, call: Call) -> PlatformImage:
        named = call.parameters
        image = self._catalogue.find(named["publisher"], named["offer"], named["sku"])
        if image is None:
            raise _artifact_not_found()
        return image

    def _entries(self, call: Call, paths: Sequence[tuple[str, ...]]) -> Answer:
        _demand_location(call)
        if not paths:
            raise _artifact_not_found()
        return Answer(200, [_entry(call, *path) for path in paths], style=BodyStyle.COMPUTE)


def _version(call: Call, image: PlatformImage, name: str, expand: str) -> dict[str, Any]:
    body = _entry(call, image.publisher, image.offer, image.sku, name)
    properties = _version_properties(image)
    if expand == "properties":
        return {"properties": properties, **body}
    if expand.startswith("properties/"):
        wanted = expand.removeprefix("properties/")
        return {"properties": {key: value for key, value in properties.items() if key.lower() == wanted}, **body}
    return body


def _version_properties(image: PlatformImage) -> dict[str, Any]:
    disk = {"operatingSystem": image.os_type, "sizeInGb": image.size_gb, "sizeInBytes": image.size_gb * GIBIBYTE + 512}
    return {
        "hyperVGeneration": image.hyper_v_generation,
        "architecture": image.architecture,
        "replicaType": "Managed",
        "disallowed": {"vmDiskType": "None"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": True},
        "imageDeprecationStatus": {"imageState": "Active"},
        "features": [{"name": "IsAcceleratedNetworkSupported", "value": "True"}],
        "osDiskImage": disk,
        "dataDiskImages": [],
    }


def _entry(call: Call, *path: str) -> dict[str, Any]:
    """Return an entry of a list; this service alone writes its ids with capitals."""
    location = short_name(call.parameters["location"])
    words = ("Publishers", "ArtifactTypes/VMImage/Offers", "Skus", "Versions")
    below = "/".join(f"{word}/{name}" for word, name in zip(words, path, strict=False))
    root = f"/Subscriptions/{call.parameters['subscription_id']}/Providers/Microsoft.Compute/Locations/{location}"
    return {"location": location, "name": path[-1], "id": f"{root}/{below}"}


def _demand_location(call: Call) -> None:
    location = call.parameters["location"]
    if not is_known(location):
        message = (
            f"No registered resource provider found for location '{location}' and API version '{call.api_version}' "
            "for type 'locations/publishers'."
        )
        raise ArmError(400, "NoRegisteredProviderFound", message)


def _artifact_not_found() -> ArmError:
    return ArmError(404, "NotFound", "Artifact: VMImage was not found.", style=BodyStyle.COMPUTE)
