"""What each phase of a run writes into the customization log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROVISIONERS = {
    "Shell": "shell",
    "PowerShell": "powershell",
    "File": "file",
    "WindowsRestart": "windows-restart",
    "WindowsUpdate": "windows-update",
}
"""Packer's words for the service's customizer types, as its telemetry lines show them."""


DONE = "Done exporting Packer logs to Azure Storage."


@dataclass(frozen=True)
class Line:
    """Write one line.

    :param at: when, as a fraction of its phase
    :param text: what follows the time, or what follows PACKER when there is none
    :param is_timed: whether the time stands before it
    """

    at: float
    text: str
    is_timed: bool = True


def said(at: float, text: str) -> Line:
    """Write a line of Packer's own."""
    return Line(at, f"ui: ==> azure-arm: {text}")


def heard(at: float, text: str) -> Line:
    """Write a line that came from the build VM."""
    return Line(at, f"ui:     azure-arm: {text}")


def noted(at: float, text: str) -> Line:
    """Write a line of Packer's debug log."""
    return Line(at, text)


def bare(at: float, text: str) -> Line:
    """Write a line that has no time."""
    return Line(at, text, is_timed=False)


def deploy_lines(image: str, *, location: str, group: str) -> list[Line]:
    """Write how the build VM is deployed from `image`."""
    return [
        noted(0.0, "[INFO] Packer version: 1.9.4 [go1.20.7 linux amd64]"),
        noted(0.0, "[INFO] (telemetry) Starting builder azure-arm"),
        said(0.0, "Running builder ..."),
        said(0.02, "Creating Azure Resource Manager (ARM) client ..."),
        said(0.05, f"Using existing resource group {group} in {location} ..."),
        said(0.08, f"Using image {image} ..."),
        said(0.1, "Validating deployment template ..."),
        said(0.2, "Deploying deployment template ..."),
        said(0.95, "Getting the VM's IP address ..."),
    ]


def connect_lines(*, is_windows: bool) -> list[Line]:
    """Write how Packer gets hold of the build VM."""
    if is_windows:
        done = [heard(0.9, "WinRM connected."), said(1.0, "Connected to WinRM!")]
    else:
        done = [said(0.95, "Connected to SSH!")]
    return [*waiting_lines(is_windows=is_windows), *done]


def waiting_lines(*, is_windows: bool) -> list[Line]:
    """Write how Packer waits for the build VM."""
    if is_windows:
        return [
            said(0.0, "Waiting for WinRM to become available..."),
            noted(0.05, "[INFO] Waiting for WinRM, up to timeout: 10m0s"),
        ]
    return [
        said(0.0, "Waiting for SSH to become available..."),
        noted(0.3, "[DEBUG] TCP connection to SSH ip/port failed: dial tcp 10.0.0.4:22: connect: connection refused"),
    ]


def customize_lines(
    customizer: Mapping[str, Any], failure: Failure | None = None, *, hangs_for: float = 0.0
) -> list[Line]:
    """Write what a customizer does; one that fails or hangs never writes its ending.

    :param hangs_for: how many times its usual length it hangs; 0 does not hang
    """
    kind = PROVISIONERS[customizer["type"]]
    return _provisioner_lines(kind, WRITERS[customizer["type"]](customizer), failure, hangs_for)


def _provisioner_lines(kind: str, middle: list[Line], failure: Failure | None, hangs_for: float) -> list[Line]:
    opening = noted(0.0, f"[INFO] (telemetry) Starting provisioner {kind}")
    begun = [opening, *middle[: max(1, len(middle) // 2)]]
    if hangs_for:
        return [*begun, *_hanging_lines(failure, hangs_for)]
    if failure is not None:
        return [*begun, *(heard(0.9, text) for text in failure.output), *_error_lines(failure)]
    return [opening, *middle, noted(1.0, f"[INFO] (telemetry) ending {kind}")]


def _hanging_lines(failure: Failure | None, hangs_for: float) -> list[Line]:
    if failure is None:
        return []
    step = hangs_for / (len(failure.output) + 1) if failure.is_endless else 0.0
    return [heard(step * at or 0.9, text) for at, text in enumerate(failure.output, start=1)]


@dataclass(frozen=True)
class Failure:
    """Say how a script fails.

    :param exit_code: what it exits with
    :param output: its last lines
    :param is_endless: whether they go on as long as it hangs
    :param notes: lines of Packer's debug log
    :param ending: the error that the build ends with; empty is that of an exit status
    """

    exit_code: int
    output: tuple[str, ...] = ()
    is_endless: bool = False
    notes: tuple[str, ...] = ()
    ending: str = ""

    @property
    def error(self) -> str:
        """The sentence that the build ends with."""
        usual = f"Script exited with non-zero exit status: {self.exit_code}. Allowed exit codes are: [0]"
        return self.ending or usual


def usual_failure_output(customizer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return last lines for a failing customizer for which none were planned."""
    return {
        "Shell": (
            "Reading package lists...",
            "E: Unable to locate package does-not-exist",
        ),
        "PowerShell": (
            "Invoke-WebRequest : The remote name could not be resolved: 'download.invalid'",
            "At C:\\Windows\\Temp\\script.ps1:3 char:1",
        ),
        "File": ("Upload failed: no space left on device",),
        "WindowsRestart": ("Timeout waiting for machine to restart.",),
        "WindowsUpdate": ("Windows update failed: Exception from HRESULT: 0x8024402C",),
    }[customizer["type"]]


def _error_lines(failure: Failure) -> list[Line]:
    code = failure.exit_code
    exited = () if failure.ending else (_ended_with(code),)
    remote = () if failure.ending else (noted(1.0, f"[ERROR] Remote command exited with '{code}'"),)
    return [
        *exited,
        *(noted(0.96, text) for text in failure.notes),
        said(0.97, "Provisioning step had errors: Running the cleanup provisioner, if present..."),
        *remote,
        Line(1.0, f"ui error: ==> azure-arm: {failure.error}"),
    ]


def _ended_with(code: int) -> Line:
    return noted(0.95, f"packer-plugin-azure plugin: [INFO] RPC endpoint: Communicator ended with: {code}")


def failed_clean_up_lines(failure: Failure, elapsed: str, *, is_cleared: bool = True) -> list[Line]:
    """Write how a failed build is cleared away, or only how it ends."""
    after = "" if failure.ending else f" after {elapsed}"
    return [
        *(_resource_lines() if is_cleared else []),
        Line(0.9, f"ui error: Build 'azure-arm' errored{after}: {failure.error}"),
        bare(0.92, "==> Wait completed after " + elapsed),
        bare(0.94, "==> Some builds didn't complete successfully and had errors:"),
        bare(0.95, f"--> azure-arm: {failure.error}"),
        *_last_lines(),
    ]


def clean_up_lines(troubles: Sequence[str] = ()) -> list[Line]:
    """Write how a good build is cleared away.

    :param troubles: what goes wrong with that
    """
    told = [Line(0.5, f"ui error: ==> azure-arm: {text}") for text in troubles]
    return [*_resource_lines(), *told, Line(0.9, "ui: Build 'azure-arm' finished."), *_last_lines()]


def _resource_lines() -> list[Line]:
    return [
        bare(0.0, "==> azure-arm: Deleting individual resources ..."),
        said(0.1, "Deleting the individual resources created during build ..."),
        # Harmless, and just what a hasty reader takes for the failure.
        Line(
            0.3,
            "ui error: ==> azure-arm: Error deleting resource. Will retry. Name: pkrni, Error: "
            "InUseNetworkSecurityGroupCannotBeDeleted",
        ),
        said(0.7, "Removing the created Deployment object"),
    ]


def _last_lines() -> list[Line]:
    return [
        bare(0.96, "==> Builds finished but no artifacts were created."),
        noted(0.98, "[INFO] (telemetry) Finalizing."),
        bare(1.0, DONE),
    ]


def deprovision_lines(*, is_windows: bool, failure: Failure | None = None, hangs_for: float = 0.0) -> list[Line]:
    """Write the service's own last step, which no customizer asked for."""
    if is_windows:
        kind, script = "powershell", "c:\\DeprovisioningScript.ps1"
        output = [
            ">>> Waiting for GA Service (RdAgent) to start ...",
            ">>> Sysprepping VM ...",
            ">>> Sysprep complete ...",
        ]
    else:
        kind, script = "shell", "/tmp/DeprovisioningScript.sh"  # noqa: S108 - as the real log names it
        output = [
            "WARNING! The waagent service will be stopped.",
            "WARNING! Cached DHCP leases will be deleted.",
            "WARNING! root password will be disabled. You will not be able to login as root.",
        ]
    middle = [said(0.1, f"Provisioning with {kind} script: {script}"), *(heard(0.4, text) for text in output)]
    return _provisioner_lines(kind, middle, failure, hangs_for)


def capture_lines(*, is_windows: bool) -> list[Line]:
    """Write how the disk is captured."""
    return [
        said(0.0, "Querying the machine's properties ..."),
        said(0.1, "Powering off machine ..."),
        said(0.5, "Generalizing machine ..." if is_windows else "Snapshotting the OS disk ..."),
        said(0.9, "Taking snapshot of OS disk ..."),
        said(1.0, "Skipping image creation..."),
    ]


def failed_deploy_lines(failure: Failure) -> list[Line]:
    """Write how a build ends that never gets as far as its build VM."""
    return [
        *(noted(0.98, text) for text in failure.notes),
        noted(0.99, f"[ERROR] {failure.error}"),
        Line(1.0, f"ui error: Build 'azure-arm' errored: {failure.error}"),
        *[Line(1.0, line.text, line.is_timed) for line in _last_lines()],
    ]


def cancel_lines() -> list[Line]:
    """Write how a cancelled build ends."""
    return [
        noted(0.0, "[INFO] Received cancel"),
        said(0.0, "Cancelling builder after context cancellation"),
        *[Line(0.5 + line.at / 2, line.text, line.is_timed) for line in (*_resource_lines(), *_last_lines())],
    ]


def validator_lines(validator: Mapping[str, Any], failure: Failure | None) -> list[Line]:
    """Write what a validator does; it goes into a log of its own."""
    return customize_lines(validator, failure)


def _script(customizer: Mapping[str, Any], kind: str, folder: str) -> list[Line]:
    commands: Sequence[str] = customizer.get("inline") or ()
    name = customizer.get("name") or "unnamed"
    opening = [said(0.05, f"Provisioning with {kind} script: {folder}")]
    if not commands:
        uri = customizer.get("scriptUri", "")
        return [*opening, heard(0.4, f"running {uri.partition('?')[0]}"), heard(0.9, f"{name}: done")]
    step = 0.8 / len(commands)
    return [*opening, *(heard(0.1 + step * at, _output_of(text)) for at, text in enumerate(commands, start=1))]


def _output_of(command: str) -> str:
    words = command.strip()
    for prefix in ("echo ", "Write-Host ", "Write-Output "):
        if words.startswith(prefix):
            return words.removeprefix(prefix).strip().strip("'\"")
    return f"+ {words}"


def _shell(customizer: Mapping[str, Any]) -> list[Line]:
    return [
        *_script(customizer, "shell", "/tmp/packer-shell3074641722"),  # noqa: S108 - as the real log names it
        # Harmless: package scripts have no terminal in a build.
        Line(0.5, "ui error: ==> azure-arm: debconf: unable to initialize frontend: Dialog"),
        noted(0.95, "packer-provisioner-shell plugin: [INFO] RPC client: Communicator ended with: 0"),
    ]


def _powershell(customizer: Mapping[str, Any]) -> list[Line]:
    return [
        *_script(customizer, "powershell", "/tmp/powershell-provisioner2389107"),  # noqa: S108 - as the real log
        noted(0.95, "packer-provisioner-powershell plugin: [INFO] RPC client: Communicator ended with: 0"),
    ]


def _file(customizer: Mapping[str, Any]) -> list[Line]:
    source = str(customizer.get("sourceUri", "")).partition("?")[0].rpartition("/")[2] or "file"
    return [
        said(0.1, f"Uploading {source} => {customizer.get('destination', '')}"),
        heard(0.6, f"{source} 826 B / 826 B  100.00%"),
    ]


def _restart(customizer: Mapping[str, Any]) -> list[Line]:
    timeout = customizer.get("restartTimeout") or "5m"
    return [
        said(0.0, "Restarting Machine"),
        said(0.1, f"Waiting for machine to restart, up to {timeout}..."),
        Line(0.4, "ui error: ==> azure-arm: A system shutdown is in progress.(1115)"),
        said(0.95, "Machine successfully restarted, moving on"),
    ]


def _update(_: Mapping[str, Any]) -> list[Line]:
    return [
        said(0.0, "Uploading the Windows update elevated script..."),
        said(0.1, "Running Windows update..."),
        heard(0.2, "Searching for Windows updates..."),
        heard(0.4, "Found Windows update (2025-04-08; 312.55 MB): Cumulative Update for Windows"),
        heard(0.9, "Installed Windows updates. Result: 2"),
    ]


WRITERS: dict[str, Callable[[Mapping[str, Any]], list[Line]]] = {
    "Shell": _shell,
    "PowerShell": _powershell,
    "File": _file,
    "WindowsRestart": _restart,
    "WindowsUpdate": _update,
}
