"""Resource ids of Azure Resource Manager, taken apart and put together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_aib.exceptions import ImageTemplateError

IMAGE_TEMPLATE_TYPE = "Microsoft.VirtualMachineImages/imageTemplates"

_RESOURCE_GROUP = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)(?P<rest>/.*)?", re.IGNORECASE
)
_PROVIDER = re.compile(r"/providers/(?P<namespace>[^/]+)/(?P<path>[^/]+/[^/]+(?:/[^/]+/[^/]+)*)", re.IGNORECASE)


@dataclass(frozen=True)
class ResourceId:
    """Hold the parts of a resource id.

    :param subscription_id: the subscription
    :param resource_group_name: the resource group
    :param resource_type: with its namespace, as `Microsoft.Compute/galleries/images`; empty for a resource group
    :param names: one for each part of the type
    """

    subscription_id: str
    resource_group_name: str
    resource_type: str = ""
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.names[-1] if self.names else self.resource_group_name

    @property
    def namespace(self) -> str:
        """The resource provider."""
        return self.resource_type.split("/", 1)[0]

    def __str__(self) -> str:
        text = f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group_name}"
        if not self.resource_type:
            return text
        kinds = self.resource_type.split("/")[1:]
        path = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, self.names, strict=True))
        return f"{text}/providers/{self.namespace}/{path}"

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read the id of a resource group, or of a resource in one; Azure's spelling varies in case."""
        group = _RESOURCE_GROUP.fullmatch(text.strip().rstrip("/"))
        provider = _PROVIDER.fullmatch(group["rest"]) if group and group["rest"] else None
        if group is None or (group["rest"] and provider is None):
            raise ImageTemplateError(
                f"{text!r} is no resource id",
                hint="It has the form /subscriptions/<id>/resourceGroups/<name>/providers/<namespace>/<type>/<name>.",
            )
        if provider is None:
            return cls(group["subscription"], group["group"])
        parts = provider["path"].split("/")
        return cls(
            group["subscription"],
            group["group"],
            "/".join((provider["namespace"], *parts[::2])),
            tuple(parts[1::2]),
        )


def image_template_id(subscription_id: str, resource_group_name: str, image_template_name: str) -> str:
    """Put together the resource id of an image template."""
    return str(ResourceId(subscription_id, resource_group_name, IMAGE_TEMPLATE_TYPE, (image_template_name,)))


def parse_image_template_id(text: str) -> ResourceId:
    """Read the resource id of an image template, and of nothing else."""
    resource_id = ResourceId.parse(text)
    if resource_id.resource_type.lower() != IMAGE_TEMPLATE_TYPE.lower():
        raise ImageTemplateError(
            f"{text!r} is no resource id of an image template",
            hint=f"It ends in /providers/{IMAGE_TEMPLATE_TYPE}/<name>.",
        )
    return resource_id
