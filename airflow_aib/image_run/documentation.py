"""Pages of Microsoft's that tell more about a failure; each has been read."""

from __future__ import annotations

_LEARN = "https://learn.microsoft.com/en-us/azure"
_RESOURCE_MANAGER = f"{_LEARN}/azure-resource-manager/troubleshooting"

TROUBLESHOOTING = f"{_LEARN}/virtual-machines/linux/image-builder-troubleshoot"
IMAGE_TEMPLATES = f"{_LEARN}/virtual-machines/linux/image-builder-json"
PERMISSIONS = f"{_LEARN}/virtual-machines/linux/image-builder-permissions-cli"
NETWORKING = f"{_LEARN}/virtual-machines/linux/image-builder-networking"
CORE_QUOTA = f"{_RESOURCE_MANAGER}/error-resource-quota"
VM_SIZE = f"{_RESOURCE_MANAGER}/error-sku-not-available"
ALLOCATION = "https://learn.microsoft.com/en-us/troubleshoot/azure/virtual-machines/windows/allocation-failure"


def section(heading: str) -> str:
    """Give the address of a section of the troubleshooting page.

    :param heading: as its address writes it
    """
    return f"{TROUBLESHOOTING}#{heading}"


# Sections that several failures share.
COMMAND_FAILS = section("packer-build-command-fails")
SCRIPTS = section("troubleshoot-script-or-inline-customization")
TIMEOUT = section("deployment-fails-due-to-timeout")
GALLERY = section("error-occurs-with-waiting-for-azure-compute-gallery")
STATE_FAILED = section("resource-operation-finished-with-a-terminal-provisioning-state-of-failed")
NOT_AUTHORIZED = section("assigned-managed-identity-isnt-authorized-to-access-a-resource")
SYSPREP = section("theres-a-sysprep-timing-problem")
GENERALIZE = section("vms-created-from-vm-image-builder-images-arent-created-successfully")
