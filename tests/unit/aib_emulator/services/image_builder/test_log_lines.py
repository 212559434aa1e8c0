from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.log_lines import CUSTOMIZATION_LOG, VALIDATION_LOG, LogPart, LogWriter
from aib_emulator.services.image_builder.timeline import cancelled, plan_run
from aib_emulator.services.image_builder.words import Words
from tests.unit.aib_emulator.services.image_builder.samples import SHELL, START, image_template

PREFIX = "00000000-0000-0000-0000-00000000000f"
LINE = re.compile(r"^\[[0-9a-f-]{36}\] PACKER (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d .+|(==>|-->|Done exporting).*)$")
TELEMETRY = re.compile(r"\(telemetry\) (Starting provisioner|ending) ([\w-]+)")
EVERY_KIND = [
    SHELL,
    {"type": "PowerShell", "name": "p", "inline": ["Write-Host hi"]},
    {"type": "File", "name": "f", "sourceUri": "https://e/a.txt?sig=secret", "destination": "c:\\a.txt"},
    {"type": "WindowsRestart", "name": "r"},
    {"type": "WindowsUpdate", "name": "u"},
]


def parts(fault: PlannedFault | None = None, **properties: Any) -> list[LogPart]:
    """Return what a run writes."""
    template = image_template(**properties)
    timeline = plan_run(template.properties, START, fault)
    return list(LogWriter(template, PREFIX, Words(exit_code=7, output=("boom",))).parts(timeline))


def text(found: list[LogPart], log_name: str = CUSTOMIZATION_LOG) -> str:
    """Return a whole log."""
    return "".join(part.text for part in found if part.log_name == log_name)


def test_every_line_has_the_form_of_the_service() -> None:
    """Each line has the id in brackets, PACKER, and mostly a time."""
    lines = text(parts(customize=EVERY_KIND)).splitlines()
    assert [line for line in lines if not LINE.match(line)] == []
    assert all(line.startswith(f"[{PREFIX}] PACKER ") for line in lines)


def test_there_is_one_provisioner_more_than_customizers() -> None:
    """The service's own deprovision step comes last, and each provisioner starts and ends."""
    marks = TELEMETRY.findall(text(parts(customize=EVERY_KIND)))
    kinds = ["shell", "powershell", "file", "windows-restart", "windows-update", "powershell"]
    assert marks == [(what, kind) for kind in kinds for what in ("Starting provisioner", "ending")]


def test_a_failing_customizer_never_ends() -> None:
    """The last provisioner that started and did not end is the one that failed; its last output is there."""
    log = text(parts(PlannedFault("customizer", 1), customize=[SHELL, SHELL, SHELL]))
    marks = TELEMETRY.findall(log)
    assert marks == [("Starting provisioner", "shell"), ("ending", "shell"), ("Starting provisioner", "shell")]
    assert "azure-arm: boom\n" in log
    assert "Script exited with non-zero exit status: 7." in log


def test_good_and_failed_builds_end_alike() -> None:
    """Both end with the line that exporting is done, and both hold the harmless line on artifacts."""
    for fault in (None, PlannedFault("customizer")):
        log = text(parts(fault))
        assert log.splitlines()[-1].endswith("PACKER Done exporting Packer logs to Azure Storage.")
        assert "Builds finished but no artifacts were created." in log


def test_a_hanging_build_falls_silent() -> None:
    """After the provisioner started nothing more is written until the build is ended."""
    found = parts(PlannedFault("hang"), buildTimeoutInMinutes=60)
    silent_from, end = found[-2].at, found[-1].at
    assert (end - silent_from).total_seconds() > 3000
    assert TELEMETRY.findall(text(found))[-1] == ("Starting provisioner", "shell")


def test_validators_have_a_log_of_their_own() -> None:
    """What validators write does not show in the customization log."""
    validator = {"type": "Shell", "name": "v", "inline": ["echo checked"]}
    found = parts(validate={"inVMValidations": [validator]})
    assert "checked" in text(found, VALIDATION_LOG)
    assert "checked" not in text(found)


def test_too_little_time_is_told_in_the_log() -> None:
    """A build timeout below six minutes leaves the documented complaint."""
    assert "client_jwt will expire within 5 minutes" in text(parts(buildTimeoutInMinutes=3))


@pytest.mark.parametrize("fault", [None, PlannedFault("customizer"), PlannedFault("hang")])
def test_a_log_grows_forwards(fault: PlannedFault | None) -> None:
    """Parts come in the order of their instants, and no line is written before its time."""
    found = parts(fault)
    assert all(before.at <= following.at for before, following in pairwise(found))
    for part in found:
        stamps = re.findall(r"PACKER (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)", part.text)
        assert all(stamp <= f"{part.at:%Y/%m/%d %H:%M:%S}" for stamp in stamps)


def test_signatures_stay_out_of_the_log() -> None:
    """A script's address is written without its query."""
    assert "secret" not in text(parts(customize=EVERY_KIND))


def test_a_cancelled_build_says_so() -> None:
    """Winding up leaves its lines."""
    template = image_template()
    timeline = cancelled(plan_run(template.properties, START), START.replace(minute=9))
    assert "Cancelling builder" in text(list(LogWriter(template, PREFIX).parts(timeline)))
