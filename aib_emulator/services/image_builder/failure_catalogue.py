"""The failures of the service that are documented or were reported, each under a name of its own.

What is quoted of the service stands in the signatures; around them the words are our own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aib_emulator.failures import CANCEL, CREATION, RUN, RUN_CALL, PlannedFailureError
from aib_emulator.settings import LOG_FORMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.failures import PlannedFailure

HARMLESS = "harmless"
"""The course of a run that goes well in spite of what its log says."""
MORE = "Help is at https://aka.ms/azvmimagebuilderts."
INTERNAL = f"Internal error occurred. Its cause is not told. {MORE}"


@dataclass(frozen=True)
class CataloguedFailure:
    """Describe one failure of the service.

    :param row: its number in the list that the project collects them in
    :param signatures: what is quoted of the service: by `L` (the run's message and operation), `P` (the creation's) and
        `C` (the customization log)
    :param course: how the run goes: one of `COURSES`, or `harmless`; empty for what is no run
    :param stages: at which points it can strike, the usual one first
    :param customizer: which type of customizer it strikes, if there is one; else the one that the plan numbers
    :param code: of the error; None takes the usual one
    :param operation_code: of the creation's operation, where it differs
    :param message: of the service, with `{facts}`; None takes the usual one
    :param opening: what stands before the usual message
    :param output: last lines of the build VM
    :param is_endless: whether they go on as long as the step hangs
    :param notes: lines of Packer's debug log
    :param ending: the error that the build ends with; empty is that of a script's exit status
    :param clean_up: what goes wrong while the build is cleared away
    :param is_windows: whether only Windows images know it
    """

    row: int
    signatures: Mapping[str, tuple[str, ...]]
    course: str = ""
    stages: tuple[str, ...] = (RUN,)
    customizer: str = ""
    code: str | None = None
    operation_code: str | None = None
    message: str | None = None
    opening: str = ""
    output: tuple[str, ...] = field(default=())
    is_endless: bool = False
    notes: tuple[str, ...] = ()
    ending: str = ""
    clean_up: tuple[str, ...] = ()
    is_windows: bool = False


CATALOGUE: dict[str, CataloguedFailure] = {
    "identity-deleted": CataloguedFailure(
        7,
        {"L": ("The assigned managed identity cannot be used",)},
        course="refused",
        code="ManagedIdentityCannotBeUsed",
        message="The assigned managed identity cannot be used: '{identity}' was deleted, or never granted. " + MORE,
    ),
    "not-authorized": CataloguedFailure(
        8,
        {"P": ("Not authorized to access the resource",), "L": ("Not authorized to access the resource",)},
        course="refused",
        stages=(CREATION, RUN),
        code="BadSharedImageDistribute",
        message="Not authorized to access the resource: {resource}. The identity of the image template lacks a role.",
    ),
    "internal-error": CataloguedFailure(
        9,
        {"P": ("Internal error occurred", "InternalOperationError", "ServerError")},
        stages=(CREATION,),
        code="ServerError",
        message=INTERNAL,
    ),
    "deployment-failed": CataloguedFailure(
        10,
        {"P": ("ResourceDeploymentFailure", "terminal provisioning state 'Failed'")},
        stages=(CREATION,),
        code="ServerError",
        operation_code="ResourceDeploymentFailure",
        message="The operation on the resource ended in terminal provisioning state 'Failed'. " + INTERNAL,
    ),
    "managed-image-forbidden": CataloguedFailure(
        11,
        {
            "P": ("Build (Managed Image) step failed: Error getting Managed Image", "Status=403"),
            "L": ("Build (Managed Image) step failed: Error getting Managed Image", "Status=403"),
        },
        course="refused",
        stages=(CREATION, RUN),
        code="BadManagedImageSource",
        message="Build (Managed Image) step failed: Error getting Managed Image '{source}': Status=403 "
        'Code="AuthorizationFailed": the identity may not read images.',
    ),
    "gallery-version-missing": CataloguedFailure(
        12,
        {
            "P": ("Build (Shared Image Version) step failed", "ResourceNotFound"),
            "L": ("Build (Shared Image Version) step failed", "ResourceNotFound"),
        },
        course="refused",
        stages=(CREATION, RUN),
        code="BadSharedImageVersionSource",
        message="Build (Shared Image Version) step failed for Image Version '{source}': StatusCode=404 "
        'Code="ResourceNotFound": there is no such version in {location}.',
    ),
    "script-download-failed": CataloguedFailure(
        13,
        {"P": ("Downloading external file (", "[attempt 1 of 10] failed")},
        stages=(CREATION,),
        code="NoCustomizerScript",
        message="Downloading external file ({script}) to local file (0.customizer.fp) [attempt 1 of 10] failed: "
        "the address cannot be reached.",
    ),
    "proxy-disk-denied": CataloguedFailure(
        14,
        {
            "L": (
                "does not have authorization to perform action 'Microsoft.Compute/disks/write'",
                "proxyVmDiskWin_",
            )
        },
        course="refused",
        code="AuthorizationFailed",
        message="The client '{principal}' does not have authorization to perform action "
        "'Microsoft.Compute/disks/write' over scope '{group}/providers/Microsoft.Compute/disks/proxyVmDiskWin_1'.",
    ),
    "policy-denied": CataloguedFailure(
        15,
        {"L": ("RequestDisallowedByPolicy",), "C": ("RequestDisallowedByPolicy",)},
        course="deploy",
        code="InvalidTemplateDeployment",
        message='The build VM could not be deployed: Code="RequestDisallowedByPolicy": a policy denies a resource.',
        ending='Code="RequestDisallowedByPolicy" Message="Resource \'pkrkv\' was disallowed by policy."',
    ),
    "script-failed": CataloguedFailure(
        16,
        {
            "L": (
                "Packer build command has failed: exit status 1",
                "PackerBuildFailed",
                "During the image build a failure has occurred",
            )
        },
        course="customizer",
        opening="Packer build command has failed: exit status 1. ",
    ),
    "build-timeout": CataloguedFailure(
        17,
        {"L": ("Timeout waiting for microservice to complete: 'context deadline exceeded'",)},
        course="hang",
    ),
    "slow-file-upload": CataloguedFailure(
        18,
        {"C": (" 826 B / 826000 B  1.00%",)},
        course="hang",
        customizer="File",
        output=tuple(f"setup.zip 826 B / 826000 B  {part:.2f}%" for part in (1, 1, 1, 2, 2, 3, 3, 4)),
        is_endless=True,
    ),
    "restart-timeout": CataloguedFailure(
        19,
        {
            "C": (
                "A system shutdown has already been scheduled.(1190)",
                "Timeout waiting for machine to restart.",
            )
        },
        course="customizer",
        customizer="WindowsRestart",
        output=("A system shutdown has already been scheduled.(1190)",),
        ending="Timeout waiting for machine to restart.",
        is_windows=True,
    ),
    "gallery-publish-timeout": CataloguedFailure(
        20,
        {"L": ("Error publishing MDI to", "context deadline exceeded")},
        course="late_success",
        message="Failed in distributing images: Error publishing MDI to {resource}: context deadline exceeded",
    ),
    "distribution-failed": CataloguedFailure(
        21,
        {"L": ("Failed in distributing 1 images out of total 1", "InternalOperationError")},
        course="partial",
    ),
    "machine-exhausted": CataloguedFailure(
        22,
        {
            "C": (
                "exited with code: 101",
                "Machine not yet available (exit status 1115)",
                "errored: unexpected EOF",
            )
        },
        course="customizer",
        customizer="WindowsUpdate",
        output=("Machine not yet available (exit status 1115)",),
        notes=("packer-provisioner-windows-update plugin: [INFO] command 'windows-update' exited with code: 101",),
        ending="unexpected EOF",
        is_windows=True,
    ),
    "deployment-too-slow": CataloguedFailure(
        23,
        {"C": ("Future#WaitForCompletion: context has been cancelled", "Build 'azure-arm' errored")},
        course="deploy",
        ending="Future#WaitForCompletion: context has been cancelled: StatusCode=200",
    ),
    "network-tags-denied": CataloguedFailure(
        24,
        {"L": ("network.InterfacesClient#UpdateTags", "ResourceNotFound")},
        course="refused",
        code="InternalOperationError",
        message='network.InterfacesClient#UpdateTags: StatusCode=404 Code="ResourceNotFound": the network interface '
        "in {group} cannot be seen.",
    ),
    "sysprep-never-ready": CataloguedFailure(
        25,
        {
            "C": (
                "IMAGE_STATE_UNDEPLOYABLE",
                "Cannot find any service with service name 'WindowsAzureGuestAgent'",
            ),
        },
        course="deprovision_hang",
        output=(
            "Get-Service : Cannot find any service with service name 'WindowsAzureGuestAgent'.",
            *("IMAGE_STATE_UNDEPLOYABLE",) * 20,
        ),
        is_endless=True,
        is_windows=True,
    ),
    "outdated-sysprep-script": CataloguedFailure(
        26,
        {"C": ("service name 'WindowsAzureTelemetryService'",)},
        course="deprovision",
        output=("Get-Service : Cannot find any service with service name 'WindowsAzureTelemetryService'.",),
        is_windows=True,
    ),
    "containers-not-registered": CataloguedFailure(
        27,
        {"L": ("Azure Container Instances provider not registered",)},
        course="refused",
        code="ContainerInstancesNotRegistered",
        message="Azure Container Instances provider not registered for subscription {subscription}. " + MORE,
    ),
    "containers-quota": CataloguedFailure(
        28,
        {"L": ("Azure Container Instances quota exceeded",)},
        course="refused",
        code="ContainerInstancesQuotaExceeded",
        message="Azure Container Instances quota exceeded in {location}. " + MORE,
    ),
    "containers-rate": CataloguedFailure(
        29,
        {"L": ("Too many Azure Container Instances deployed within a period of time",)},
        course="refused",
        code="TooManyContainerInstances",
        message="Too many Azure Container Instances deployed within a period of time in {location}. " + MORE,
    ),
    "connection-lost": CataloguedFailure(
        30,
        {"C": ("Cancelling builder after context cancellation", "Remote command exited without exit status")},
        course="customizer",
        output=("Firewall is active and enabled on system startup",),
        notes=("[ERROR] Remote command exited without exit status or exit signal.",),
        ending="Cancelling builder after context cancellation",
    ),
    "token-too-short": CataloguedFailure(
        31,
        {"C": ("client_jwt will expire within 5 minutes",)},
        course="deploy",
    ),
    "clean-up-retried": CataloguedFailure(
        32,
        {
            "C": (
                "PublicIPAddressCannotBeDeleted",
                "InUseNetworkSecurityGroupCannotBeDeleted",
                "Error deleting resource. Will retry.",
            )
        },
        course=HARMLESS,
        clean_up=("Error deleting resource. Will retry. Name: pkrip, Error: PublicIPAddressCannotBeDeleted",),
    ),
    "private-endpoint-in-use": CataloguedFailure(
        33,
        {"C": ("NicInUseWithPrivateEndpoint",)},
        course=HARMLESS,
        clean_up=("Error deleting resource. Will retry. Name: pkrpe-nic, Error: NicInUseWithPrivateEndpoint",),
    ),
    "no-artifacts": CataloguedFailure(
        34,
        {"C": ("Builds finished but no artifacts were created", "Skipping image creation")},
        course=HARMLESS,
    ),
    "apt-lists-missing": CataloguedFailure(
        35,
        {"C": ("E: Could not open file /var/lib/apt/lists/",)},
        course="customizer",
        customizer="Shell",
        output=("E: Could not open file /var/lib/apt/lists/archive_dists_main_binary-amd64_Packages - open (2)",),
    ),
    "gateway-timeout": CataloguedFailure(
        36,
        {"A": ("did not receive a response from 'Microsoft.VirtualMachineImages'",)},
        stages=(RUN_CALL,),
    ),
    "stuck-canceling": CataloguedFailure(37, {"L": ("Canceling",)}, stages=(CANCEL,)),
    "hardened-image": CataloguedFailure(
        38,
        {"C": ("chmod +x",)},
        course="customizer",
        customizer="Shell",
        notes=("[ERROR] Remote command exited with '126': chmod +x /tmp/script_1.sh",),
        ending="Error chmodding script file in the build VM: chmod +x /tmp/script_1.sh: Operation not permitted",
    ),
    "hardened-windows": CataloguedFailure(
        38,
        {"C": ("WinRM",)},
        course="connect",
        ending="Timeout waiting for WinRM.",
        is_windows=True,
    ),
}
"""By name. Rows 1 to 6 are refusals, which the same calls meet here without any plan."""


def completed(failure: PlannedFailure) -> PlannedFailure:
    """Return a failure with the point at which it strikes; PlannedFailureError when there is no such failure."""
    if failure.log_form not in {"", *LOG_FORMS}:
        raise PlannedFailureError(f"log_form={failure.log_form!r}: use one of {', '.join(LOG_FORMS)}.")
    if failure.kind != "catalogue":
        return failure
    entry = CATALOGUE.get(failure.name)
    if entry is None:
        raise PlannedFailureError(f"name={failure.name!r}: use one of {', '.join(CATALOGUE)}.")
    if failure.at and failure.at not in entry.stages:
        raise PlannedFailureError(f"at={failure.at!r}: {failure.name} strikes at {' or '.join(entry.stages)}.")
    failure.at = failure.at or entry.stages[0]
    return failure
