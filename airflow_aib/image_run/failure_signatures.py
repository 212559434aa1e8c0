"""The table of known failures of a run: by which words each is recognised, and what helps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Say by what a failure is recognised; everything named must be there.

    :param in_message: parts of the service's message
    :param in_log: parts of the customization log
    :param provisioner: kind of the provisioner that failed or hung
    """

    in_message: tuple[str, ...] = ()
    in_log: tuple[str, ...] = ()
    provisioner: str | None = None

    def match(self, message: str, log_text: str, provisioner: str | None) -> bool:
        """Whether everything named is there."""
        return (
            all(part in message for part in self.in_message)
            and all(part in log_text for part in self.in_log)
            and self.provisioner in {None, provisioner}
        )


@dataclass(frozen=True)
class Signature:
    """Describe one class of failure.

    :param failure_class: stable name, for programs
    :param remedy: what a person can do
    :param recognised_by: any one of these
    :param may_retry: whether the same run again can succeed without anybody changing anything
    :param names_customizer: whether a customizer that failed has to do with it
    """

    failure_class: str
    remedy: str
    recognised_by: tuple[Words, ...] = ()
    may_retry: bool = False
    names_customizer: bool = False


def _message(*parts: str) -> Words:
    return Words(in_message=parts)


def _log(*parts: str) -> Words:
    return Words(in_log=parts)


_LARGER_VM = "Give the build VM more cores and memory (vmProfile.vmSize)."

# From the most telling to the least: the first that matches counts.
SIGNATURES: tuple[Signature, ...] = (
    Signature(
        "timeout-too-short",
        "Set buildTimeoutInMinutes to 0 or to at least 6.",
        (_log("client_jwt will expire within 5 minutes"),),
    ),
    Signature(
        "policy-denied",
        "An Azure Policy forbids what the build creates: exempt the staging resource group, or change the policy.",
        (_message("RequestDisallowedByPolicy"), _log("RequestDisallowedByPolicy")),
    ),
    Signature(
        "identity-unusable",
        "The identity was deleted or moved: PATCH the image template's identity, the old one null, the new one {}.",
        (_message("The assigned managed identity cannot be used"),),
    ),
    Signature(
        "staging-permission-missing",
        "Grant the service principal of Azure VM Image Builder the role Contributor on the staging resource group.",
        (_message("does not have authorization to perform action 'Microsoft.Compute/disks/write'", "proxyVmDiskWin_"),),
    ),
    Signature(
        "permission-missing",
        "Grant the image template's identity the right that the message names, on the resource that it names.",
        (
            _message("Not authorized to access the resource"),
            _message("Build (Managed Image) step failed", "Status=403"),
            _message("network.InterfacesClient#UpdateTags", "ResourceNotFound"),
            _message("does not have authorization to perform action"),
        ),
    ),
    Signature(
        "source-image-missing",
        "The source version is not there, or not in the image template's region: correct the id, or replicate it.",
        (_message("Build (Shared Image Version) step failed", "ResourceNotFound"),),
    ),
    Signature(
        "container-instances-not-registered",
        "Register the resource provider Microsoft.ContainerInstance in the subscription.",
        (_message("Azure Container Instances provider not registered"),),
    ),
    Signature(
        "container-instances-quota",
        "Run fewer builds at once, or raise the quota for Azure Container Instances.",
        (_message("Azure Container Instances quota exceeded"),),
        may_retry=True,
    ),
    Signature(
        "container-instances-rate",
        "Start fewer builds at once.",
        (_message("Too many Azure Container Instances deployed within a period of time"),),
        may_retry=True,
    ),
    Signature(
        "replication-timeout",
        "Replication outlasted the build's time: raise buildTimeoutInMinutes, or replicate to fewer regions. "
        "The image version may still appear.",
        (_message("Error publishing MDI to", "context deadline exceeded"),),
    ),
    Signature(
        "large-file",
        "A File customizer is for files under 20 MB: download larger ones in a script.",
        (Words(in_message=("context deadline exceeded",), provisioner="file"),),
        names_customizer=True,
    ),
    Signature(
        "sysprep-agent-not-ready",
        f"The machine was generalised before its agent had started. {_LARGER_VM} Or sleep 60 s in a last customizer.",
        (_log("Cannot find any service with service name 'WindowsAzureGuestAgent'"),),
        may_retry=True,
    ),
    Signature(
        "sysprep-script-outdated",
        "c:\\DeprovisioningScript.ps1 was replaced with an outdated version: start from the current default.",
        (_log("Cannot find any service with service name 'WindowsAzureTelemetryService'"),),
    ),
    Signature(
        "windows-restart-timeout",
        "Give the WindowsRestart customizer a longer restartTimeout; 15m to 30m on Windows Server 2016.",
        (_log("Timeout waiting for machine to restart"),),
        names_customizer=True,
    ),
    Signature(
        "resources-exhausted",
        f"The build VM ran out of resources, as small ones do in Windows Update. {_LARGER_VM}",
        (_log("Machine not yet available (exit status 1115)", "unexpected EOF"),),
        names_customizer=True,
    ),
    Signature(
        "build-timeout",
        "Find in the log what hangs or takes long; correct it, raise buildTimeoutInMinutes, or use a larger VM.",
        (_message("Timeout waiting for microservice to complete", "context deadline exceeded"),),
        names_customizer=True,
    ),
    Signature(
        "connection-lost",
        "A customizer cut the connection to the build VM: leave ports 22 (SSH) and 5986 (WinRM), their services and "
        "their firewall rules alone.",
        (_log("Cancelling builder after context cancellation", "Remote command exited without exit status"),),
        names_customizer=True,
    ),
    Signature(
        "azure-too-slow",
        "Azure took too long to make the build's resources.",
        (_log("Future#WaitForCompletion: context has been cancelled", "Build 'azure-arm' errored"),),
        may_retry=True,
    ),
    Signature(
        "private-endpoint-stuck",
        "Delete the private endpoint connection, then link service, network card and load balancer, then the staging "
        "group, then the image template.",
        (_log("NicInUseWithPrivateEndpoint"),),
    ),
    Signature(
        "system-not-settled",
        "The script began before the system had settled: wait in a first customizer (`cloud-init status --wait`).",
        (_log("E: Could not open file /var/lib/apt/lists/"),),
        may_retry=True,
        names_customizer=True,
    ),
    Signature(
        # A shell's 126: found and not executed. Packer quotes the whole command, which begins with the chmod.
        "script-not-executable",
        "The build VM refuses to execute a file, as hardened images (CIS) do whose /tmp is noexec: use another source, "
        "or loosen that one. If the script itself ran, one of its commands may not be executed.",
        (_log("exited with '126': chmod +x"),),
        names_customizer=True,
    ),
    Signature(
        "distribution-failed",
        "The image was built and not distributed: look whether it appears later, and check the identity's rights on "
        "the destination and the build's time.",
        (_message("Failed in distributing"),),
    ),
    Signature(
        "build-failed",
        "Read the end of the log.",
        (
            _message("Packer build command has failed"),
            _message("PackerBuildFailed"),
            # 2020 wrote "During the image build, a failure has occurred", 2024 writes it without the comma.
            _message("During the image build", "failure has occurred"),
        ),
        names_customizer=True,
    ),
    Signature(
        "internal-error",
        "Azure names no reason: check the identity's rights, and that no two image templates share a staging group.",
        (_message("InternalOperationError"), _message("Internal error occurred")),
        may_retry=True,
    ),
)


def find_signature(message: str, log_text: str, provisioner: str | None) -> Signature | None:
    """Find the first signature that matches; None for a failure that is not known.

    :param message: the service's words
    :param log_text: the customization log
    :param provisioner: kind of the one that failed or hung
    """
    return next(
        (
            signature
            for signature in SIGNATURES
            if any(words.match(message, log_text, provisioner) for words in signature.recognised_by)
        ),
        None,
    )
