"""The tables of known failures: by which words each is recognised, and what helps.

A new one is one row here or in `surrounding_signatures.py`, and one sample in `tests/logs/failures/`. The classes for
failures that are known by the step in which they came about only are in `step_failures.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_run import documentation as docs
from airflow_aib.image_run.failure_signature import (
    ANYWHERE,
    NEVER,
    NOT_KNOWN,
    SOON,
    Signature,
    Words,
    deprovisioning_has,
    log_has,
    message_has,
)
from airflow_aib.image_run.surrounding_signatures import CALLS, SURROUNDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_aib.image_run.failure_signature import Traits

_WAITING_FOR_AZURE = frozenset({"deploy", "connect", "capture"})
_ALL_UPLOADED = " 100.00%"
_LARGER_VM = "Give the build VM more cores and memory (vmProfile.vmSize)."

# What goes wrong inside the build VM, or with it.
_BUILD: tuple[Signature, ...] = (
    Signature(
        "large-file",
        "a File customizer with a file that is too large",
        "A File customizer is for files under 20 MB: download larger ones in a script.",
        docs.section("file-download-time-is-long"),
        recognised_by=(
            Words(
                in_message=("context deadline exceeded",), not_in_log=(_ALL_UPLOADED,), provisioner="file", hangs=True
            ),
            Words(in_log=(" B / ", "%"), not_in_log=(_ALL_UPLOADED,), provisioner="file", hangs=True),
        ),
    ),
    Signature(
        "sysprep-agent-not-ready",
        "generalising began before the agent had started",
        f"The machine was generalised before its agent had started. {_LARGER_VM} Or sleep 60 s in a last customizer.",
        docs.SYSPREP,
        SOON,
        recognised_by=(deprovisioning_has("Cannot find any service with service name 'WindowsAzureGuestAgent'"),),
        step="deprovision",
    ),
    Signature(
        "sysprep-script-outdated",
        "an outdated script of one's own for generalising",
        "c:\\DeprovisioningScript.ps1 was replaced with an outdated version: start from the current default.",
        docs.GENERALIZE,
        recognised_by=(deprovisioning_has("Cannot find any service with service name 'WindowsAzureTelemetryService'"),),
        step="deprovision",
    ),
    Signature(
        "windows-restart-timeout",
        "Windows did not come back in time",
        "Give the WindowsRestart customizer a longer restartTimeout; 15m to 30m on Windows Server 2016.",
        docs.section("windows-restart-continually-fails-with-error-code-1190"),
        recognised_by=(log_has("Timeout waiting for machine to restart"),),
    ),
    Signature(
        "resources-exhausted",
        "the build VM is too small",
        f"The build VM ran out of resources, as small ones do in Windows Update. {_LARGER_VM}",
        docs.section("information-events-show-low-windows-resources"),
        recognised_by=(
            log_has("Machine not yet available (exit status 1115)", "unexpected EOF"),
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
            log_has("Cancelling builder after context cancellation", "Remote command exited without exit status"),
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
            log_has("E: Could not open file /var/lib/apt/lists/"),
            Words(in_last_errors="Could not get lock /var/lib/dpkg/lock"),
            Words(in_last_errors="Could not get lock /var/lib/apt/lists/lock"),
        ),
    ),
    Signature(
        # A shell's 126: found and not executed. Packer quotes the whole command, which begins with the chmod.
        "script-not-executable",
        "the build VM refuses to execute a script, as hardened images do",
        "The build VM refuses to execute a file, as hardened images (CIS) do whose /tmp is noexec: use another source, "
        "or loosen that one. If the script itself ran, one of its commands may not be executed.",
        docs.section("prerequisites"),
        recognised_by=(log_has("exited with '126': chmod +x"), log_has("Error chmodding script file")),
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
        recognised_by=(message_has("Failed in distributing"),),
        step="distribute",
    ),
    Signature(
        "build-failed",
        "the build failed, and there is no log that says where",
        "Read the end of the log.",
        docs.COMMAND_FAILS,
        NOT_KNOWN,
        recognised_by=(
            message_has("Packer build command has failed"),
            message_has("PackerBuildFailed"),
            # 2020 wrote "During the image build, a failure has occurred", 2024 writes it without the comma.
            message_has("During the image build", "failure has occurred"),
        ),
    ),
    Signature(
        "internal-error",
        "Azure names no reason",
        "Azure names no reason: check the identity's rights, and that no two image templates share a staging group.",
        docs.STATE_FAILED,
        NOT_KNOWN,
        recognised_by=(
            message_has("InternalOperationError"),
            message_has("Internal error occurred"),
            message_has("ServerError"),
            message_has("ResourceDeploymentFailure"),
            message_has("terminal provisioning state 'Failed'"),
        ),
    ),
)

# What keeps a build from its end for good: it says more than that its time was over, or that it was interrupted.
_PRIVATE_ENDPOINT = Signature(
    "private-endpoint-stuck",
    "a private endpoint keeps the staging group from being deleted",
    "Delete the private endpoint connection, then link service, network card and load balancer, then the staging "
    "group, then the image template.",
    docs.section("resource-deletion-errors-appear"),
    NEVER,
    recognised_by=(
        Words(in_message=("NicInUseWithPrivateEndpoint",), places=ANYWHERE),
        Words(in_log=("NicInUseWithPrivateEndpoint",), steps=frozenset({"clean-up"})),
    ),
    step="clean-up",
)

# From the most telling to the least: the first that matches counts.
SIGNATURES: tuple[Signature, ...] = (*CALLS, *SURROUNDINGS, *_BUILD)
SIGNATURES_OF_LOGS: tuple[Signature, ...] = _CUT_OFF
ENDLESS_SIGNATURES: tuple[Signature, ...] = (_PRIVATE_ENDPOINT,)
VAGUE_SIGNATURES: tuple[Signature, ...] = (*_VAGUE, _PRIVATE_ENDPOINT)
ALL_SIGNATURES: tuple[Signature, ...] = (*SIGNATURES, *SIGNATURES_OF_LOGS, *VAGUE_SIGNATURES)


def log_signs() -> tuple[str, ...]:
    """Give all words that a reader of a log has to look for."""
    words = [part for row in ALL_SIGNATURES for words in row.recognised_by for part in words.in_log + words.not_in_log]
    return tuple(dict.fromkeys(words))


def find_signature(traits: Traits, table: Iterable[Signature]) -> Signature | None:
    """Find the first signature that matches; None for a failure that is not known."""
    return next((signature for signature in table if signature.match(traits)), None)
