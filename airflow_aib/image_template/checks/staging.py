"""The staging resource group, in which the build happens, and the tags of what is made there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import distributors_of, mapping, properties_of, text_of
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.pointers import child
from airflow_aib.image_template.unknown import holds_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

MOST_TAGS, LONGEST_TAG_NAME, LONGEST_TAG_VALUE = 50, 512, 256

_PATH = "/properties/stagingResourceGroup"
_GROUP = re.compile(r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<name>[^/]+)", re.IGNORECASE)
_GROUP_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]")
# By these the service knows whose staging resource group it is.
_RESERVED_TAGS = frozenset({"createdby", "usedby", "imagetemplatename", "imagetemplateresourcegroupname"})


def check_staging(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a staging resource group that the service does not take, and tags that Azure does not."""
    properties = properties_of(rendered)
    yield from _group(text_of(properties, "stagingResourceGroup"), rendered.resource_group_id)
    # Azure Resource Manager refuses these with the image template; all other tags are set at the end of a build.
    for problem in _tag_problems(mapping(rendered.body.get("tags")), "/tags"):
        yield error(problem[0], "tag-form", problem[1], "Shorten it, or leave it out.")
    managed = mapping(properties.get("managedResourceTags"))
    others = [(f"{path}/artifactTags", mapping(one.get("artifactTags"))) for path, one in distributors_of(properties)]
    for path, tags in (("/properties/managedResourceTags", managed), *others):
        for problem in _tag_problems(tags, path):
            yield warning(problem[0], "tag-form", problem[1], "Shorten it, or leave it out.")
    for name in managed:
        if name.casefold() in _RESERVED_TAGS:
            place = child("/properties/managedResourceTags", name)
            yield warning(place, "tag-reserved", f"The service itself sets the tag {name!r}", "Choose another name.")


def _group(group_id: str, own_group_id: str) -> Iterator[Finding]:
    staging, own = _GROUP.fullmatch(group_id), _GROUP.fullmatch(own_group_id)
    if staging is None:
        return
    if not _GROUP_NAME.fullmatch(staging["name"]):
        yield error(
            _PATH,
            "staging-name-form",
            f"{staging['name']!r} is no name of a resource group",
            "Use 1 to 90 letters, digits, dots, underscores, hyphens and parentheses, without a dot at the end.",
        )
    if own is None or holds_unknown(own_group_id):
        return
    if group_id.casefold() == own_group_id.casefold():
        yield warning(_PATH, "staging-own-group", "The image template lives in this group itself", "Name another one.")
    elif staging["subscription"].casefold() != own["subscription"].casefold():
        yield warning(
            _PATH, "staging-subscription", "The staging group is in another subscription", "Name one of the same."
        )


def _tag_problems(tags: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if len(tags) > MOST_TAGS:
        yield path, f"There are {len(tags)} tags, and Azure takes {MOST_TAGS}"
    for name, value in tags.items():
        if len(name) > LONGEST_TAG_NAME or re.search(r"[<>%&\\?/]", name):
            yield child(path, name), f"A tag's name has at most {LONGEST_TAG_NAME} characters and none of <>%&\\?/"
        if isinstance(value, str) and len(value) > LONGEST_TAG_VALUE:
            yield child(path, name), f"A tag's value has at most {LONGEST_TAG_VALUE} characters, not {len(value)}"
