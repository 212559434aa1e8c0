"""The build VM, its network and the group in which it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.identity import IDENTITY_TYPE
from airflow_aib.image_template.checks.reading import check_id, mapping, properties_of
from airflow_aib.image_template.finding import Finding, error
from airflow_aib.image_template.resource_id import RESOURCE_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate

SUBNET = "Microsoft.Network/virtualNetworks/subnets"


def check_vm_profile(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a profile of the build VM that AIB refuses."""
    properties = properties_of(rendered)
    yield from check_id(properties, "stagingResourceGroup", "/properties", RESOURCE_GROUP)
    profile, path = mapping(properties.get("vmProfile")), "/properties/vmProfile"
    identities = profile.get("userAssignedIdentities")
    for index, identity_id in enumerate(identities if isinstance(identities, list) else ()):
        yield from check_id({str(index): identity_id}, str(index), f"{path}/userAssignedIdentities", IDENTITY_TYPE)
    yield from _network(profile.get("vnetConfig"), f"{path}/vnetConfig")


def _network(value: object, path: str) -> Iterator[Finding]:
    network = mapping(value)
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
