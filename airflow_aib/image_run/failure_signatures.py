"""The table of known failures: by which words each is recognised, and what helps.

A new one is one row here, and one sample in `tests/logs/failures/`. The classes for failures that are known by the
step in which they came about only are in `step_failures.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_run import documentation as docs
from airflow_aib.image_run.failure_signature import (
    IN_A_WHILE,
    LATER,
    NEVER,
    NOT_KNOWN,
    SOON,
    Place,
    Signature,
    Traits,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_CALL: frozenset[Place] = frozenset({"call"})
_ANYWHERE: frozenset[Place] = frozenset({"run", "creation", "call", "log"})
_DEPLOY = frozenset({"deploy", "connect"})
_WAITING_FOR_AZURE = frozenset({"deploy", "connect", "capture"})
_LARGER_VM = "Give the build VM more cores and memory (vmProfile.vmSize)."


def _message(*parts: str) -> Words:
    return Words(in_message=parts)


def _log(*parts: str) -> Words:
    return Words(in_log=parts)


def _call(*parts: str) -> Words:
    return Words(in_message=parts, places=_CALL)


def _deploying(*parts: str) -> Words:
    return Words(in_log=parts, steps=_DEPLOY)


# Azure refused or lost the call itself.
_CALLS: tuple[Signature, ...] = (
    Signature(
        "image-template-exists",
        "an image template of this name is there, and none can be updated",
        "Delete the image template first, also one whose creation failed, or use another name.",
        docs.section("update-or-upgrade-of-image-templates-is-currently-not-supported"),
        NOT_KNOWN,
        recognised_by=(_call("Update/Upgrade of image templates is currently not supported"),),
    ),
    Signature(
        "distributor-dropped",
        "an update left out a distributor",
        "Send all distributors with an update; to drop one, delete the image template and create it anew.",
        docs.section("distribution-target-is-not-found-in-the-update-request"),
        recognised_by=(_call("not found in the update request", "Deleting a distribution target is not allowed"),),
    ),
    Signature(
        "field-missing",
        "a required member is not there",
        "Add the member that the message names; an update needs all required members too.",
        docs.section("required-fields-are-missing"),
        recognised_by=(_call("Missing field"), Words(("Missing field",))),
    ),
    Signature(
        "field-unknown",
        "a member that the api-version does not know, or in other letter case",
        "Correct the member that the message names: from 2024-02-01 on letter case counts, and unknown ones fail.",
        docs.IMAGE_TEMPLATES,
        recognised_by=(_call("unknown field"), _call("Unmarshalling entity encountered error")),
    ),
    Signature(
        "value-invalid",
        "a member has a value that the service does not take",
        "Correct the member that the message names.",
        docs.IMAGE_TEMPLATES,
        recognised_by=(_call("has a bad value"), Words(("has a bad value",)), _call("ValidationFailed")),
    ),
    Signature(
        "call-not-allowed",
        "the connection's identity lacks a right",
        "Give the connection's identity the action that the message names, on the scope that it names.",
        docs.PERMISSIONS,
        recognised_by=(_call("AuthorizationFailed"),),
    ),
    Signature(
        "image-template-busy",
        "the image template is being created, is running or is being cancelled",
        "Wait until it is idle, or cancel its run, then try again.",
        docs.TROUBLESHOOTING,
        SOON,
        recognised_by=(_call("is not allowed in provisioning"),),
    ),
    Signature(
        "gateway-timeout",
        "a gateway before the service lost the answer",
        "Look whether the run has started before asking again; the run operator does.",
        docs.TROUBLESHOOTING,
        SOON,
        recognised_by=(_call("did not receive a response from 'Microsoft.VirtualMachineImages'"),),
    ),
)

# Rights, policies, identities, quotas, what Azure must have: no part of the build's own doing.
_SURROUNDINGS: tuple[Signature, ...] = (
    Signature(
        "timeout-too-short",
        "`buildTimeoutInMinutes` is 1 to 5",
        "Set buildTimeoutInMinutes to 0 or to at least 6.",
        docs.section("jwt-errors-appear-in-the-log-early-in-the-build"),
        recognised_by=(_deploying("client_jwt will expire within 5 minutes"),),
        step="deploy",
    ),
    Signature(
        "policy-denied",
        "an Azure Policy forbids what the build creates",
        "An Azure Policy forbids what the build creates: exempt the staging resource group, or change the policy.",
        docs.section("template-deployment-failed-because-of-a-policy-violation"),
        recognised_by=(
            Words(("RequestDisallowedByPolicy",), places=_ANYWHERE),
            _deploying("RequestDisallowedByPolicy"),
        ),
    ),
    Signature(
        "identity-unusable",
        "the identity was deleted or moved",
        "The identity was deleted or moved: PATCH the image template's identity, the old one null, the new one {}.",
        docs.section("assigned-managed-identity-on-an-image-template-cant-be-used"),
        recognised_by=(Words(("The assigned managed identity cannot be used",), places=_ANYWHERE),),
    ),
    Signature(
        "staging-permission-missing",
        "AIB's service principal lacks a right on the staging resource group",
        "Grant the service principal of Azure VM Image Builder the role Contributor on the staging resource group.",
        docs.section("authorization-error-occurs-with-creating-a-disk"),
        recognised_by=(
            _message(
                "does not have authorization to perform action 'Microsoft.Compute/disks/write'", "proxyVmDiskWin_"
            ),
        ),
    ),
    Signature(
        "permission-missing",
        "the image template's identity lacks a right",
        "Grant the image template's identity the right that the message names, on the resource that it names.",
        docs.NOT_AUTHORIZED,
        recognised_by=(
            _message("Not authorized to access the resource"),
            _message("Build (Managed Image) step failed", "Status=403"),
            _message("network.InterfacesClient#UpdateTags", "ResourceNotFound"),
            _message("does not have authorization to perform action"),
            _message("doesn't have authorization to perform action"),
        ),
    ),
    Signature(
        "source-image-missing",
        "the source version is not there, or not in this region",
        "The source version is not there, or not in the image template's region: correct the id, or replicate it.",
        docs.section("build-step-failed-for-the-image-version"),
        recognised_by=(
            _message("Build (Shared Image Version) step failed", "ResourceNotFound"),
            _message("Build (Managed Image) step failed", "ResourceNotFound"),
            _message("PlatformImageNotFound"),
            _deploying("PlatformImageNotFound"),
            _message("BadPIRSource"),
        ),
    ),
    Signature(
        "part-refused",
        "the service does not take a source, customizer, validator or distributor",
        "Correct the part that the message names; delete the failed image template before submitting it again.",
        docs.IMAGE_TEMPLATES,
        recognised_by=tuple(
            Words((code,), places=frozenset({"creation"}))
            for code in (
                "BadSourceType",
                "BadManagedImageSource",
                "BadSharedImageVersionSource",
                "BadCustomizerType",
                "UnsupportedCustomizerType",
                "BadValidatorType",
                "UnsupportedValidatorType",
                "BadDistributeType",
                "BadSharedImageDistribute",
            )
        ),
        step="create",
    ),
    Signature(
        "script-unreachable",
        "the service could not download a script or file of the image template",
        "Check the address, that the service may read it, and that its TLS is of today; or use Azure storage.",
        docs.section("error-occurs-with-downloading-an-external-file-to-a-local-file"),
        NOT_KNOWN,
        recognised_by=(
            _message("Downloading external file (", "failed"),
            _message("NoCustomizerScript"),
            _message("NoValidatorScript"),
        ),
        step="create",
    ),
    Signature(
        "staging-group-missing",
        "the staging resource group is gone, or cannot be used",
        "If somebody deleted the staging resource group, delete the image template and create it anew. One of your own "
        "must be empty, in the image template's region and subscription, and no other image template's.",
        docs.IMAGE_TEMPLATES,
        recognised_by=(
            _message("ResourceGroupNotFound"),
            _deploying("ResourceGroupNotFound"),
            _message("BadStagingResourceGroup"),
        ),
    ),
    Signature(
        "container-instances-not-registered",
        "a resource provider is not registered",
        "Register the resource provider Microsoft.ContainerInstance in the subscription.",
        docs.section("azure-container-instances-provider-is-unregistered"),
        recognised_by=(_message("Azure Container Instances provider not registered"),),
    ),
    Signature(
        "container-instances-quota",
        "the quota for Azure Container Instances is used up",
        "Run fewer builds at once, or raise the quota for Azure Container Instances.",
        docs.section("subscription-exceeded-the-azure-container-instances-quota"),
        LATER,
        recognised_by=(_message("Azure Container Instances quota exceeded"),),
    ),
    Signature(
        "container-instances-rate",
        "too many builds began at once",
        "Start fewer builds at once.",
        docs.section("too-many-azure-container-instances-resources-are-deployed-within-a-period-of-time"),
        IN_A_WHILE,
        recognised_by=(_message("Too many Azure Container Instances deployed within a period of time"),),
    ),
    Signature(
        "quota-exceeded",
        "the subscription's quota for cores or other resources is used up",
        "Wait until other machines are gone, use a smaller vmProfile.vmSize, or raise the quota in that region.",
        docs.CORE_QUOTA,
        LATER,
        recognised_by=(
            _message("QuotaExceeded"),
            _message("exceeding approved"),
            _deploying("QuotaExceeded"),
            _deploying("exceeding approved"),
        ),
        step="deploy",
    ),
    Signature(
        "capacity-missing",
        "Azure has no machine of that size left in the region or zone for now",
        "Try later, or choose another vmProfile.vmSize.",
        docs.ALLOCATION,
        LATER,
        recognised_by=(
            _message("AllocationFailed"),
            _deploying("AllocationFailed"),
            _deploying("OverconstrainedAllocationRequest"),
        ),
        step="deploy",
    ),
    Signature(
        "vm-size-unavailable",
        "the subscription may not have a machine of that size in the region",
        "Choose another vmProfile.vmSize, or another region; `az vm list-skus` tells what there is.",
        docs.VM_SIZE,
        NOT_KNOWN,
        recognised_by=(_message("SkuNotAvailable"), _deploying("SkuNotAvailable")),
        step="deploy",
    ),
    Signature(
        "replication-timeout",
        "replication outlasted the build's time; the version may still appear",
        "Replication outlasted the build's time: raise buildTimeoutInMinutes, or replicate to fewer regions. "
        "The image version may still appear.",
        docs.GALLERY,
        recognised_by=(_message("Error publishing MDI to", "context deadline exceeded"),),
        step="replicate",
    ),
)

# What goes wrong inside the build VM, or with it.
_BUILD: tuple[Signature, ...] = (
    Signature(
        "large-file",
        "a File customizer with a file that is too large",
        "A File customizer is for files under 20 MB: download larger ones in a script.",
        docs.section("file-download-time-is-long"),
        recognised_by=(
            Words(in_message=("context deadline exceeded",), provisioner="file", hangs=True),
            Words(in_log=(" B / ", "%"), provisioner="file", hangs=True),
        ),
    ),
    Signature(
        "sysprep-agent-not-ready",
        "generalising began before the agent had started",
        f"The machine was generalised before its agent had started. {_LARGER_VM} Or sleep 60 s in a last customizer.",
        docs.SYSPREP,
        SOON,
        recognised_by=(_log("Cannot find any service with service name 'WindowsAzureGuestAgent'"),),
        step="deprovision",
    ),
    Signature(
        "sysprep-script-outdated",
        "an outdated script of one's own for generalising",
        "c:\\DeprovisioningScript.ps1 was replaced with an outdated version: start from the current default.",
        docs.GENERALIZE,
        recognised_by=(_log("Cannot find any service with service name 'WindowsAzureTelemetryService'"),),
        step="deprovision",
    ),
    Signature(
        "windows-restart-timeout",
        "Windows did not come back in time",
        "Give the WindowsRestart customizer a longer restartTimeout; 15m to 30m on Windows Server 2016.",
        docs.section("windows-restart-continually-fails-with-error-code-1190"),
        recognised_by=(_log("Timeout waiting for machine to restart"),),
    ),
    Signature(
        "resources-exhausted",
        "the build VM is too small",
        f"The build VM ran out of resources, as small ones do in Windows Update. {_LARGER_VM}",
        docs.section("information-events-show-low-windows-resources"),
        recognised_by=(
            _log("Machine not yet available (exit status 1115)", "unexpected EOF"),
            Words(in_log=("unexpected EOF",), provisioner="windows-update"),
        ),
    ),
)

_CUT_OFF: tuple[Signature, ...] = (
    Signature(
        "connection-lost",
        "a customizer cut the connection to the build VM",
        "A customizer cut the connection to the build VM: leave ports 22 (SSH) and 5986 (WinRM), their services and "
        "their firewall rules alone.",
        docs.section("build-is-canceled-after-context-cancellation"),
        recognised_by=(
            _log("Cancelling builder after context cancellation", "Remote command exited without exit status"),
        ),
    ),
    Signature(
        "azure-too-slow",
        "Azure took too long to make the build's resources",
        "Azure took too long to make the build's resources.",
        docs.TROUBLESHOOTING,
        SOON,
        recognised_by=(
            Words(in_log=("Future#WaitForCompletion: context has been cancelled",), steps=_WAITING_FOR_AZURE),
        ),
    ),
    Signature(
        "system-not-settled",
        "a script began before the system had settled",
        "The script began before the system had settled: wait in a first customizer (`cloud-init status --wait`).",
        docs.SCRIPTS,
        SOON,
        recognised_by=(
            _log("E: Could not open file /var/lib/apt/lists/"),
            _log("Could not get lock /var/lib/dpkg/lock"),
            _log("Could not get lock /var/lib/apt/lists/lock"),
        ),
    ),
    Signature(
        # A shell's 126: found and not executed. Packer quotes the whole command, which begins with the chmod.
        "script-not-executable",
        "the build VM refuses to execute a script, as hardened images do",
        "The build VM refuses to execute a file, as hardened images (CIS) do whose /tmp is noexec: use another source, "
        "or loosen that one. If the script itself ran, one of its commands may not be executed.",
        docs.section("prerequisites"),
        recognised_by=(_log("exited with '126': chmod +x"), _log("Error chmodding script file")),
    ),
    Signature(
        "image-hardened",
        "the build VM could not be reached, as hardened images do",
        "The build VM never answered: hardened images (CIS) close WinRM or SSH, and so may a network of your own. Use "
        "another source, or open ports 22 and 5986 to the service.",
        docs.NETWORKING,
        NOT_KNOWN,
        recognised_by=(
            Words(in_log=("Timeout waiting for WinRM",), steps=frozenset({"connect"})),
            Words(in_log=("Timeout waiting for SSH",), steps=frozenset({"connect"})),
        ),
        step="connect",
    ),
    Signature(
        "network-trouble",
        "a customizer could not reach an address",
        "A customizer could not reach an address. If it fails again: check the address, the proxy, name resolution and "
        "the firewall of the build VM's subnet, and let the script try several times.",
        docs.NETWORKING,
        SOON,
        recognised_by=(Words(needs_network_trouble=True, steps=frozenset({"customize", "validate"})),),
    ),
)

# The service says so much and no more: what the log tells is asked first.
_VAGUE: tuple[Signature, ...] = (
    Signature(
        "distribution-failed",
        "the image was built and not distributed",
        "The image was built and not distributed: look whether it appears later, and check the identity's rights on "
        "the destination and the build's time.",
        docs.GALLERY,
        NOT_KNOWN,
        recognised_by=(_message("Failed in distributing"),),
        step="distribute",
    ),
    Signature(
        "build-failed",
        "the build failed, and there is no log that says where",
        "Read the end of the log.",
        docs.COMMAND_FAILS,
        NOT_KNOWN,
        recognised_by=(
            _message("Packer build command has failed"),
            _message("PackerBuildFailed"),
            # 2020 wrote "During the image build, a failure has occurred", 2024 writes it without the comma.
            _message("During the image build", "failure has occurred"),
        ),
    ),
    Signature(
        "internal-error",
        "Azure names no reason",
        "Azure names no reason: check the identity's rights, and that no two image templates share a staging group.",
        docs.STATE_FAILED,
        NOT_KNOWN,
        recognised_by=(
            _message("InternalOperationError"),
            _message("Internal error occurred"),
            _message("ServerError"),
            _message("ResourceDeploymentFailure"),
            _message("terminal provisioning state 'Failed'"),
        ),
    ),
    Signature(
        "private-endpoint-stuck",
        "a private endpoint keeps the staging group from being deleted",
        "Delete the private endpoint connection, then link service, network card and load balancer, then the staging "
        "group, then the image template.",
        docs.section("resource-deletion-errors-appear"),
        NEVER,
        recognised_by=(
            Words(in_message=("NicInUseWithPrivateEndpoint",), places=_ANYWHERE),
            Words(in_log=("NicInUseWithPrivateEndpoint",), steps=frozenset({"clean-up"})),
        ),
        step="clean-up",
    ),
)

# From the most telling to the least: the first that matches counts.
SIGNATURES: tuple[Signature, ...] = (*_CALLS, *_SURROUNDINGS, *_BUILD)
SIGNATURES_OF_LOGS: tuple[Signature, ...] = _CUT_OFF
VAGUE_SIGNATURES: tuple[Signature, ...] = _VAGUE
ALL_SIGNATURES: tuple[Signature, ...] = (*SIGNATURES, *SIGNATURES_OF_LOGS, *VAGUE_SIGNATURES)


def log_signs() -> tuple[str, ...]:
    """Give all words that a reader of a log has to look for."""
    words = [part for row in ALL_SIGNATURES for words in row.recognised_by for part in words.in_log]
    return tuple(dict.fromkeys(words))


def find_signature(traits: Traits, table: Iterable[Signature]) -> Signature | None:
    """Find the first signature that matches; None for a failure that is not known."""
    return next((signature for signature in table if signature.match(traits)), None)
