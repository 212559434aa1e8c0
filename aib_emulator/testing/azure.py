"""What a test has in hand of its local Azure. It loads nothing heavy: pytest imports it whenever it starts."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aib_emulator.control_client import ControlClient
    from aib_emulator.server import EmulatorThread

GROUP = "images"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities/image-builder"
GALLERY = "Microsoft.Compute/galleries/corp"
SOURCE = {
    "type": "PlatformImage",
    "publisher": "Canonical",
    "offer": "UbuntuServer",
    "sku": "18.04-LTS",
    "version": "latest",
}
CUSTOMIZE = [{"type": "Shell", "name": "hello", "inline": ["echo hello"]}]
DISTRIBUTE = [{"type": "VHD", "runOutputName": "disk"}]


class Azure:
    """Know where the local Azure is, and plan what goes wrong in it.

    :param emulator: the running emulator
    """

    def __init__(self, emulator: EmulatorThread) -> None:
        self.emulator = emulator
        self.control: ControlClient = emulator.control

    @property
    def arm_url(self) -> str:
        """Address of Resource Manager and Entra, without a final slash."""
        return self.emulator.emulator.arm_url

    @property
    def blob_url(self) -> str:
        """Address of the blob endpoint; accounts are the first segment of the path."""
        return self.emulator.emulator.blob_url

    @property
    def subscription_id(self) -> str:
        """The only subscription."""
        return self.emulator.emulator.settings.subscription_id

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point Azure's clients and Airflow here."""
        return self.emulator.env

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection, in Airflow's JSON form."""
        return dict(self.emulator.emulator.airflow_connection())

    def resource_id(self, type_and_name: str) -> str:
        """Return the id of a resource in the group `images`, such as `Microsoft.Compute/images/mine`."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{GROUP}/providers/{type_and_name}"

    def image_template(self, **properties: Any) -> dict[str, Any]:
        """Return a small image template that builds here, with these properties in place of its own."""
        identity = {"type": "UserAssigned", "userAssignedIdentities": {self.resource_id(IDENTITY): {}}}
        usual = {"source": SOURCE, "customize": CUSTOMIZE, "distribute": DISTRIBUTE}
        return copy.deepcopy({"location": "eastus", "identity": identity, "properties": {**usual, **properties}})

    def to_gallery(self, definition: str = "linux-base", **more: Any) -> dict[str, Any]:
        """Return a distributor to the gallery `corp`."""
        image_id = self.resource_id(f"{GALLERY}/images/{definition}")
        return {"type": "SharedImage", "runOutputName": definition, "galleryImageId": image_id, **more}

    def fail_image(self, what: str, image_template: str = "*", **more: Any) -> dict[str, Any]:
        """Let something go wrong with an image template, and return the plan.

        :param what: a kind of failure, such as `customizer`, or a name of the catalogue, such as `script-failed`
        :param more: as in `aib_emulator.failures.PlannedFailure`
        """
        from aib_emulator.failures import KINDS

        named = {"kind": what} if what in KINDS else {"kind": "catalogue", "name": what}
        return self.control.plan_failure(**named, image_template=image_template, **more)

    def fail_calls(self, path: str = "", *, status: int = 500, method: str = "*", **more: Any) -> dict[str, Any]:
        """Answer calls with an error, and return the plan.

        :param path: expression searched for in the path
        :param more: as in `aib_emulator.faults.Fault`
        """
        return self.control.plan_fault(path=path, status=status, method=method, **more)

    def lose_answers(self, path: str = "", *, method: str = "*", **more: Any) -> dict[str, Any]:
        """Carry calls out and drop the connection instead of answering, and return the plan."""
        return self.control.plan_fault(path=path, method=method, action="reset", moment="after", **more)

    def delay_calls(self, path: str = "", *, seconds: float, method: str = "*", **more: Any) -> dict[str, Any]:
        """Answer calls late by so many real seconds, and return the plan."""
        return self.control.plan_fault(path=path, method=method, action="delay", seconds=seconds, **more)

    def advance(self, seconds: float) -> None:
        """Put the emulated clock forward; everything due by then has happened when this returns."""
        self.control.advance(seconds)

    def missed_faults(self) -> list[dict[str, Any]]:
        """Return the planned faults that have struck no call."""
        return [fault for fault in self.control.faults() if not fault["struck"] and fault["probability"] == 1]
