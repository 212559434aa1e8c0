from __future__ import annotations

import pytest

from airflow_aib.image_run.diagnosis import diagnose
from airflow_aib.image_run.failure_signatures import SIGNATURES
from airflow_aib.image_run.run_status import LastRunStatus
from tests.unit.airflow_aib.image_run.sample_logs import LOGS

PACKER = (
    "Failed while waiting for packerizer: Microservice has failed: Packer build command has failed: exit status 1. "
    "During the image build, a failure has occurred, please review the build log"
)
TIMEOUT = (
    "Failed while waiting for packerizer: Timeout waiting for microservice to complete: 'context deadline exceeded'"
)

# Number in the service's catalogue of failures, the service's message, lines of the log, the class.
CATALOGUE = [
    (7, "The assigned managed identity cannot be used", "", "identity-unusable"),
    (8, "Not authorized to access the resource: /subscriptions/s/x", "", "permission-missing"),
    (
        11,
        "Build (Managed Image) step failed: Error getting Managed Image '/i': StatusCode=403 -- Status=403",
        "",
        "permission-missing",
    ),
    (12, 'Build (Shared Image Version) step failed: Code="ResourceNotFound"', "", "source-image-missing"),
    (
        14,
        "it does not have authorization to perform action 'Microsoft.Compute/disks/write' over proxyVmDiskWin_1",
        "",
        "staging-permission-missing",
    ),
    (15, f"{PACKER} RequestDisallowedByPolicy", "", "policy-denied"),
    (15, PACKER, "PACKER OUT ==> azure-arm: ERROR: -> RequestDisallowedByPolicy : denied", "policy-denied"),
    (16, PACKER, "", "build-failed"),
    (16, "During the image build a failure has occurred. Packer build logs are at location /x", "", "build-failed"),
    (16, "PackerBuildFailed", "", "build-failed"),
    (17, TIMEOUT, "", "build-timeout"),
    (
        18,
        TIMEOUT,
        (
            "PACKER ERR 2021/01/01 00:00:00 [INFO] (telemetry) Starting provisioner file\n"
            "PACKER OUT     azure-arm: setup.exe 826 B / 826000 B  1.00%"
        ),
        "large-file",
    ),
    (
        19,
        PACKER,
        (
            "PACKER OUT     azure-arm: A system shutdown has already been scheduled.(1190)\n"
            "PACKER OUT Build 'azure-arm' errored: Timeout waiting for machine to restart."
        ),
        "windows-restart-timeout",
    ),
    (20, "Error publishing MDI to region westus: context deadline exceeded", "", "replication-timeout"),
    (21, "Failed in distributing 1 images out of total 1: InternalOperationError", "", "distribution-failed"),
    (
        22,
        PACKER,
        (
            "PACKER ERR 2020/05/05 22:26:17 plugin: exited with code: 101\n"
            "PACKER OUT     azure-arm: Machine not yet available (exit status 1115)\n"
            "PACKER OUT Build 'azure-arm' errored: unexpected EOF"
        ),
        "resources-exhausted",
    ),
    (
        23,
        PACKER,
        (
            "PACKER ERR 2020/05/05 22:26:17 Future#WaitForCompletion: context has been cancelled: StatusCode=200\n"
            "PACKER OUT Build 'azure-arm' errored: it took too long"
        ),
        "azure-too-slow",
    ),
    (24, "network.InterfacesClient#UpdateTags: Failure: ResourceNotFound", "", "permission-missing"),
    (
        25,
        TIMEOUT,
        (
            "PACKER OUT     azure-arm: IMAGE_STATE_UNDEPLOYABLE\n"
            "PACKER OUT ==> azure-arm: Cannot find any service with service name 'WindowsAzureGuestAgent'."
        ),
        "sysprep-agent-not-ready",
    ),
    (
        26,
        PACKER,
        "PACKER OUT ==> azure-arm: Cannot find any service with service name 'WindowsAzureTelemetryService'.",
        "sysprep-script-outdated",
    ),
    (27, "Azure Container Instances provider not registered", "", "container-instances-not-registered"),
    (28, "Azure Container Instances quota exceeded", "", "container-instances-quota"),
    (
        29,
        "Too many Azure Container Instances deployed within a period of time",
        "",
        "container-instances-rate",
    ),
    (
        30,
        PACKER,
        (
            "PACKER ERR 2020/05/05 22:26:17 Cancelling builder after context cancellation context canceled\n"
            "PACKER ERR 2020/05/05 22:26:23 packer: [ERROR] Remote command exited without exit status or exit signal."
        ),
        "connection-lost",
    ),
    (31, PACKER, "PACKER ERR error: client_jwt will expire within 5 minutes", "timeout-too-short"),
    (33, PACKER, "PACKER OUT ==> azure-arm: NicInUseWithPrivateEndpoint: delete it first", "private-endpoint-stuck"),
    (35, PACKER, "PACKER OUT     azure-arm: E: Could not open file /var/lib/apt/lists/a", "system-not-settled"),
    (
        38,
        PACKER,
        (
            "PACKER ERR 2020/05/05 22:26:17 [ERROR] Remote command exited with '126': chmod +x /tmp/script_1.sh\n"
            "PACKER OUT Build 'azure-arm' errored: Script exited with non-zero exit status: 126"
        ),
        "script-not-executable",
    ),
    (9, "Internal error occurred.", "", "internal-error"),
    (9, "InternalOperationError", "", "internal-error"),
    (0, "the client does not have authorization to perform action 'Microsoft.Network/x'", "", "permission-missing"),
]


def failed(message: str) -> LastRunStatus:
    """Build the status of a run that failed."""
    return LastRunStatus("Failed", None, "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", message)


@pytest.mark.parametrize(("number", "message", "log", "failure_class"), CATALOGUE)
def test_catalogue(number: int, message: str, log: str, failure_class: str) -> None:
    """Each failure of the service's catalogue that a run can have is recognised."""
    diagnosis = diagnose(failed(message), [], log)

    assert diagnosis.failure_class == failure_class, number
    assert diagnosis.remedy


def test_every_signature_has_a_sample() -> None:
    """No row of the table is without a sample."""
    assert {signature.failure_class for signature in SIGNATURES} == {row[3] for row in CATALOGUE}


def test_harmless_lines_are_no_failure() -> None:
    """What cleaning up writes in good builds (32, 34) is not taken for the cause."""
    log = (
        "PACKER OUT ==> azure-arm: PublicIPAddressCannotBeDeleted, InUseNetworkSecurityGroupCannotBeDeleted\n"
        "PACKER OUT ==> azure-arm: Error deleting resource. Will retry.\n"
        "PACKER OUT ==> Builds finished but no artifacts were created.\n"
    )
    diagnosis = diagnose(failed(PACKER), [], log)

    assert (diagnosis.failure_class, diagnosis.output_tail) == ("build-failed", ())


@pytest.mark.parametrize("file", sorted(LOGS.glob("*.log")), ids=lambda file: file.stem)
def test_sample_logs_match_no_special_signature(file: object) -> None:
    """Ordinary logs, good and bad, are not taken for one of the special failures."""
    text = file.read_text()  # type: ignore[attr-defined]  # glob's paths, as parametrize hands them over
    special = [signature for signature in SIGNATURES if any(words.in_log for words in signature.recognised_by)]

    assert [
        signature.failure_class
        for signature in special
        for words in signature.recognised_by
        if words.in_log and words.match("", text, None)
    ] == []
