"""The regions of a gallery image in their newer form, which gives each a storage account type and a number of replicas.

The older form is deprecated and still taken, so this is done only when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.editing.edit import Edit
from airflow_aib.image_template.pointers import resolve
from airflow_aib.image_template.upgrading.change import Change
from airflow_aib.image_template.upgrading.upgrade import Upgraded

if TYPE_CHECKING:
    from airflow_aib.image_template.document import ImageTemplateDocument

SINCE = "2022-07-01"
_DISTRIBUTE = "/properties/distribute"


def with_target_regions(document: ImageTemplateDocument) -> Upgraded:
    """Turn `replicationRegions` into `targetRegions` wherever all regions are listed; the document is upgraded."""
    distribute = document.body["properties"].get("distribute")
    if not isinstance(distribute, list):
        return Upgraded(document.body)
    turned = [f"{_DISTRIBUTE}/{index}" for index, one in enumerate(distribute) if _lists_regions(one)]
    distributors = [_turned(one) if _lists_regions(one) else one for one in distribute]
    edits = [edit for path in turned for edit in _edits(resolve(document.body, path)[0], path)]
    properties = {**document.body["properties"], "distribute": distributors}
    return Upgraded({**document.body, "properties": properties}, tuple(map(_change, turned)), tuple(edits))


def _lists_regions(distributor: Any) -> bool:
    if not isinstance(distributor, dict) or distributor.get("type") != "SharedImage" or "targetRegions" in distributor:
        return False
    regions, account_type = distributor.get("replicationRegions"), distributor.get("storageAccountType", "")
    return (
        isinstance(regions, list)
        and all(isinstance(region, str) for region in regions)
        and isinstance(account_type, str)
    )


def _turned(distributor: dict[str, Any]) -> dict[str, Any]:
    regions = [_target(region, distributor) for region in distributor["replicationRegions"]]
    return {
        "targetRegions" if key == "replicationRegions" else key: regions if key == "replicationRegions" else value
        for key, value in distributor.items()
        if key != "storageAccountType"
    }


def _target(region: str, distributor: dict[str, Any]) -> dict[str, str]:
    account_type = distributor.get("storageAccountType")
    return {"name": region, **({"storageAccountType": account_type} if account_type else {})}


def _change(path: str) -> Change:
    return Change(
        f"{path}/targetRegions",
        f"{path}/replicationRegions",
        "'replicationRegions'",
        "'targetRegions'",
        "the older form is deprecated",
        SINCE,
    )


def _edits(distributor: dict[str, Any], path: str) -> list[Edit]:
    regions = f"{path}/replicationRegions"
    edits = [Edit("rename", regions, "targetRegions")]
    for index, region in enumerate(distributor["replicationRegions"]):
        edits.append(Edit("replace", f"{regions}/{index}", value=_target(region, distributor)))
    if "storageAccountType" in distributor:
        edits.append(Edit("remove", f"{path}/storageAccountType"))
    return edits
