from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.harmless_lines import HARMLESS
from airflow_aib.image_run.log_line import LogLine, parse_log_line

OPERATION = "3f0c9f6e-6a59-4c5e-9f36-0f1d9f6d2b11"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f"[{OPERATION}] PACKER OUT ==> azure-arm: Deploying deployment template ...",
            LogLine("Deploying deployment template ...", "ui", operation_id=OPERATION),
        ),
        (
            f"[{OPERATION}] PACKER OUT     azure-arm: Setting up nginx",
            LogLine("Setting up nginx", "vm", operation_id=OPERATION),
        ),
        ("PACKER OUT     azure-arm:   indented", LogLine("  indented", "vm")),
        (
            "PACKER ERR 2020/04/30 23:38:58 packer: 2020/04/30 23:38:58 [INFO] RPC endpoint",
            LogLine("packer: 2020/04/30 23:38:58 [INFO] RPC endpoint", "packer", time="2020/04/30 23:38:58"),
        ),
        (
            f"[{OPERATION}] PACKER 2023/09/14 19:00:18 ui: ==> azure-arm: Skipping image creation...",
            LogLine("Skipping image creation...", "ui", "2023/09/14 19:00:18", OPERATION, is_logged=True),
        ),
        (
            f"[{OPERATION}] PACKER 2025/03/18 20:42:48 ui:     azure-arm: E: no such file",
            LogLine("E: no such file", "vm", "2025/03/18 20:42:48", OPERATION, is_logged=True),
        ),
        (
            f"[{OPERATION}] PACKER ==> azure-arm: Deleting individual resources ...",
            LogLine("Deleting individual resources ...", "ui", operation_id=OPERATION),
        ),
        (
            "PACKER 2024/01/09 09:02:00 ui error: Build 'azure-arm' errored after 2 minutes: x",
            LogLine("Build 'azure-arm' errored after 2 minutes: x", "ui", "2024/01/09 09:02:00", is_logged=True),
        ),
        (
            "PACKER ERR 2020/03/04 23:05:04 [INFO] (telemetry) Starting provisioner windows-update",
            LogLine(
                "[INFO] (telemetry) Starting provisioner windows-update",
                "packer",
                "2020/03/04 23:05:04",
                starts="windows-update",
            ),
        ),
        ("(telemetry) ending powershell", LogLine("(telemetry) ending powershell", "plain", ends="powershell")),
        (
            f"Done exporting Packer logs to Azure for Packer prefix: [{OPERATION}] PACKER OUT",
            LogLine(f"Done exporting Packer logs to Azure for Packer prefix: [{OPERATION}] PACKER OUT", "plain"),
        ),
        (
            f"[{OPERATION}] PACKER Done exporting Packer logs to Azure Storage.",
            LogLine("Done exporting Packer logs to Azure Storage.", "packer", operation_id=OPERATION),
        ),
        ("", LogLine("", "plain")),
    ],
)
def test_every_form(line: str, expected: LogLine) -> None:
    """Each form in which AIB has written a line is taken apart."""
    assert parse_log_line(line) == expected


def test_telemetry_of_the_builder_is_no_provisioner() -> None:
    """Packer reports its builder in the same words; that starts no provisioner."""
    assert parse_log_line("PACKER ERR 2021/02/03 08:00:01 [INFO] (telemetry) Starting builder azure-arm").starts is None


@pytest.mark.parametrize("words", [words for words, _ in HARMLESS])
def test_harmless_lines(words: str) -> None:
    """What also stands in good builds is harmless."""
    assert parse_log_line(f"PACKER OUT ==> azure-arm: {words} more").is_harmless


@given(st.text())
def test_any_line_is_taken_apart(line: str) -> None:
    """No line breaks the reading, and nothing of a line without prefix is lost."""
    read = parse_log_line(line)

    assert read.text in line
    assert read.source != "plain" or read.text == line
