"""The build VM, its network and the group in which it lives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.identity import IDENTITY_TYPE
from airflow_aib.image_template.checks.reading import check_id, customizers_of, mapping, properties_of, text_of
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.members.kinds import target_os
from airflow_aib.image_template.resource_id import RESOURCE_GROUP, is_resource_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

SUBNET = "Microsoft.Network/virtualNetworks/subnets"
LARGEST_DISK_GB = 4095
SMALLEST_WINDOWS_DISK_GB = 30

_SIZE = re.compile(r"(?:Standard|Basic)_[A-Z][A-Za-z0-9_-]*", re.IGNORECASE)
# Standard_D1_v2, Standard_B1ms, Standard_F1s, Basic_A0 and the like.
_ONE_CORE = re.compile(r"(?:Standard|Basic)_(?:A0|[A-Z]{1,2}1[a-z]*)(?:_v\d+)?", re.IGNORECASE)
_GENERATION_2 = re.compile(r"gen2|-g2|azure-edition|win11|hotpatch", re.IGNORECASE)


def check_vm_profile(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a profile of the build VM that AIB refuses."""
    properties = properties_of(rendered)
    yield from check_id(properties, "stagingResourceGroup", "/properties", RESOURCE_GROUP)
    profile, path = mapping(properties.get("vmProfile")), "/properties/vmProfile"
    identities = profile.get("userAssignedIdentities")
    for index, identity_id in enumerate(identities if isinstance(identities, list) else ()):
        yield from check_id({str(index): identity_id}, str(index), f"{path}/userAssignedIdentities", IDENTITY_TYPE)
    yield from _network(mapping(profile.get("vnetConfig")), f"{path}/vnetConfig")
    yield from _sizes(properties, profile, path)
    yield from _disk(properties, profile, path)


def _sizes(properties: Mapping[str, Any], profile: Mapping[str, Any], path: str) -> Iterator[Finding]:
    network, size = mapping(profile.get("vnetConfig")), text_of(profile, "vmSize")
    for place, one in ((f"{path}/vmSize", size), (f"{path}/vnetConfig/proxyVmSize", text_of(network, "proxyVmSize"))):
        if one and not _SIZE.fullmatch(one):
            yield warning(place, "vm-size-form", f"{one!r} is no size of a VM", "Write it as Standard_D2s_v5.")
    if target_os(properties) != "Windows":
        return
    has_updates = any(text_of(step, "type") == "WindowsUpdate" for _, step in customizers_of(properties))
    if _ONE_CORE.fullmatch(size) or (not size and has_updates and _is_generation_1(properties)):
        yield warning(
            f"{path}/vmSize" if size else path,
            "vm-size-small",
            f"{size or 'The default, Standard_D1_v2,'} has one core, on which Windows builds run out of resources",
            "Choose at least two cores, as Standard_D2s_v5.",
        )


def _is_generation_1(properties: Mapping[str, Any]) -> bool:
    """Whether a platform image looks like generation 1, which is built on one core where nothing else is said."""
    source = mapping(properties.get("source"))
    words = f"{source.get('offer')} {source.get('sku')}"
    return text_of(source, "type") == "PlatformImage" and not _GENERATION_2.search(words)


def _disk(properties: Mapping[str, Any], profile: Mapping[str, Any], path: str) -> Iterator[Finding]:
    size = profile.get("osDiskSizeGB")
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        return
    if size > LARGEST_DISK_GB:
        yield warning(
            f"{path}/osDiskSizeGB",
            "os-disk-size",
            f"Azure has no system disks of {size} GB",
            f"{LARGEST_DISK_GB} at most.",
        )
    elif size < SMALLEST_WINDOWS_DISK_GB and target_os(properties) == "Windows":
        yield warning(
            f"{path}/osDiskSizeGB",
            "os-disk-size",
            f"{size} GB are less than any Windows image has, and a disk cannot become smaller",
            "Write 0 to keep the source's size.",
        )


def _network(network: Mapping[str, Any], path: str) -> Iterator[Finding]:
    yield from check_id(network, "subnetId", path, SUBNET)
    yield from check_id(network, "containerInstanceSubnetId", path, SUBNET)
    if not network.get("containerInstanceSubnetId"):
        return
    if not network.get("subnetId"):
        yield error(
            f"{path}/containerInstanceSubnetId",
            "network-subnet-missing",
            "'containerInstanceSubnetId' needs 'subnetId' beside it",
            "Add the subnet of the build VM, in the same virtual network.",
        )
    if network.get("proxyVmSize"):
        yield error(
            f"{path}/proxyVmSize",
            "network-proxy-unused",
            "There is no proxy VM where 'containerInstanceSubnetId' is given",
            "Leave proxyVmSize out.",
        )
    yield from _subnets(network, path)


def _subnets(network: Mapping[str, Any], path: str) -> Iterator[Finding]:
    build, container = (text_of(network, key).casefold() for key in ("subnetId", "containerInstanceSubnetId"))
    if not is_resource_id(build, SUBNET) or not is_resource_id(container, SUBNET):
        return
    is_same_network = build.rpartition("/subnets/")[0] == container.rpartition("/subnets/")[0]
    if build == container or not is_same_network:
        yield error(
            f"{path}/containerInstanceSubnetId",
            "network-subnets",
            "'containerInstanceSubnetId' must be another subnet of the same virtual network as 'subnetId'",
            "Name a subnet of that network that is delegated to container instances.",
        )
