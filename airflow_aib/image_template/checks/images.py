"""Images as names: which one a build starts from, which one it makes, and whether the two get on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import distributors_of, mapping, properties_of, text_of
from airflow_aib.image_template.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

TRIGGER_TYPE = "microsoft.virtualmachineimages/imagetemplates/triggers"

_PINNED = re.compile(
    r"(?P<definition>/subscriptions/.*/galleries/[^/]+/images/[^/]+)/versions/(?P<version>[^/]+)", re.IGNORECASE
)
_GALLERY = re.compile(r"/subscriptions/.*/galleries/(?P<name>[^/]+)/.*", re.IGNORECASE)
_GALLERY_NAME = re.compile(r"[a-z0-9](?:[\w.]{0,78}[a-z0-9])?", re.IGNORECASE | re.ASCII)
_GALLERY_VERSION = re.compile(r"\d{1,10}\.\d{1,10}\.\d{1,10}", re.ASCII)
_PLATFORM_VERSION = re.compile(r"\d+(?:\.\d+)+", re.ASCII)


def check_images(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report versions that cannot be, images that are made twice, and images that are built from themselves."""
    properties = properties_of(rendered)
    source, distributors = mapping(properties.get("source")), distributors_of(properties)
    yield from _source_version(source)
    yield from _gallery_name(text_of(source, "imageVersionId"), "/properties/source/imageVersionId")
    yield from _made_twice(distributors)
    has_trigger = _has_trigger(rendered)
    if has_trigger:
        yield from _trigger_source(source)
    for path, distributor in distributors:
        yield from _gallery_name(text_of(distributor, "galleryImageId"), f"{path}/galleryImageId")
        yield from _version(distributor, path, has_trigger=has_trigger)
        yield from _own_source(source, distributor, path, has_trigger=has_trigger)


def definition_of(image_id: str) -> str:
    """Give the id of a gallery image definition, in small letters, without the version that may stand behind it."""
    pinned = _PINNED.fullmatch(image_id)
    return (pinned["definition"] if pinned else image_id).casefold()


def pinned_version(image_id: str) -> str | None:
    """Give the version at the end of a gallery image's id, if there is one."""
    pinned = _PINNED.fullmatch(image_id)
    return pinned["version"] if pinned else None


def made_image(distributor: Mapping[str, Any]) -> str:
    """Give the image that a distributor makes, in small letters; of a gallery image the definition."""
    if distributor.get("type") == "ManagedImage":
        return text_of(distributor, "imageId").casefold()
    return definition_of(text_of(distributor, "galleryImageId"))


def _source_version(source: Mapping[str, Any]) -> Iterator[Finding]:
    version, path = text_of(source, "version"), "/properties/source/version"
    if version and version.casefold() != "latest" and not _PLATFORM_VERSION.fullmatch(version):
        yield warning(
            path,
            "source-version-form",
            f"{version!r} is no version of a platform image",
            "Write 'latest', or one as 1.2.3.",
        )
    wanted = pinned_version(text_of(source, "imageVersionId"))
    if wanted is not None and wanted.casefold() != "latest" and not _GALLERY_VERSION.fullmatch(wanted):
        yield warning(
            "/properties/source/imageVersionId",
            "gallery-version-form",
            f"{wanted!r} is no version of a gallery image",
            "Write 'latest', or three numbers as 1.2.3.",
        )


def _gallery_name(image_id: str, path: str) -> Iterator[Finding]:
    gallery = _GALLERY.fullmatch(image_id)
    if gallery and not _GALLERY_NAME.fullmatch(gallery["name"]):
        yield warning(
            path,
            "gallery-name-form",
            f"No gallery can have the name {gallery['name']!r}",
            "Write letters, digits, dots and underscores, and no dash.",
        )


def _made_twice(distributors: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for path, distributor in distributors:
        image = made_image(distributor)
        if image and image in first:
            yield warning(
                path, "distribute-twice", f"{first[image]} makes the same image", "Remove one, or name another image."
            )
        first.setdefault(image, path)


def _version(distributor: Mapping[str, Any], path: str, *, has_trigger: bool) -> Iterator[Finding]:
    version, place = pinned_version(text_of(distributor, "galleryImageId")), f"{path}/galleryImageId"
    if version is None:
        return
    if not _GALLERY_VERSION.fullmatch(version):
        yield warning(
            place,
            "gallery-version-form",
            f"{version!r} is no version of a gallery image",
            "Write three numbers as 1.2.3, or leave the version out.",
        )
    yield warning(
        place,
        "version-pinned",
        "A trigger takes no image template with a version of its own"
        if has_trigger
        else "With a version of its own the image can be built once only",
        "Leave `/versions/...` out: the service counts versions up.",
    )


def _own_source(
    source: Mapping[str, Any], distributor: Mapping[str, Any], path: str, *, has_trigger: bool
) -> Iterator[Finding]:
    image_id = text_of(source, "imageVersionId") or text_of(source, "imageId")
    if image_id and definition_of(image_id) == made_image(distributor):
        member = "imageId" if distributor.get("type") == "ManagedImage" else "galleryImageId"
        yield warning(
            f"{path}/{member}",
            "source-is-target",
            "The image is built from itself" + (", which a trigger refuses" if has_trigger else ""),
            "Give the base image and the built one definitions of their own.",
        )


def _trigger_source(source: Mapping[str, Any]) -> Iterator[Finding]:
    kind, path = text_of(source, "type"), "/properties/source"
    if kind == "ManagedImage":
        yield warning(
            path, "trigger-source", "A trigger takes no managed image as source", "Use a platform or gallery image."
        )
        return
    place = "version" if kind == "PlatformImage" else "imageVersionId"
    version = text_of(source, "version") if kind == "PlatformImage" else pinned_version(text_of(source, place))
    if version and version.casefold() != "latest":
        yield warning(
            f"{path}/{place}", "trigger-source", f"A trigger waits for 'latest', not for {version!r}", "Write 'latest'."
        )


def _has_trigger(rendered: RenderedImageTemplate) -> bool:
    """Whether the deployment file gives the image template a trigger, inside it or beside it."""
    inside = rendered.document.body.get("resources") if rendered.document else None
    kinds = [str(one.get("type", "")) for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []
    if any(kind.casefold() in {"triggers", TRIGGER_TYPE} for kind in kinds):
        return True
    owners = [one.name.partition("/")[0] for one in rendered.siblings if one.resource_type.casefold() == TRIGGER_TYPE]
    return any(owner.casefold() == (rendered.name or "").casefold() for owner in owners)
