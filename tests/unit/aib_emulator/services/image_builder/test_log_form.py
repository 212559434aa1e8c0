from __future__ import annotations

import re

import pytest

from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.log_form import WRITERS
from aib_emulator.services.image_builder.log_lines import LogWriter
from aib_emulator.services.image_builder.messages import PACKER_FAILURES
from aib_emulator.services.image_builder.timeline import plan_run
from aib_emulator.services.image_builder.words import Words
from aib_emulator.settings import LOG_FORMS
from tests.unit.aib_emulator.services.image_builder.samples import SHELL, START, image_template

PREFIX = "00000000-0000-0000-0000-00000000000f"
STAMP = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"
OLD_LINE = re.compile(
    rf"^\[{PREFIX}\] PACKER (OUT (==>|-->|    azure-arm:|Build )|ERR {STAMP} (packer: {STAMP} \[|packer-\S+ plugin: ))"
)


def old_log(fault: PlannedFault | None) -> list[str]:
    """Return a log of the old form."""
    template = image_template(customize=[SHELL, SHELL])
    parts = LogWriter(template, PREFIX, Words(log_form="old")).parts(plan_run(template.properties, START, fault))
    return "".join(part.text for part in parts).splitlines()


@pytest.mark.parametrize("fault", [None, PlannedFault("customizer", 1), PlannedFault("hang"), PlannedFault("deploy")])
def test_every_line_of_an_old_log_has_the_old_form(fault: PlannedFault | None) -> None:
    """What people see is OUT without a time, the debug log is ERR with one, and the end names the prefix itself."""
    *lines, last = old_log(fault)
    assert [line for line in lines if not OLD_LINE.match(line)] == []
    assert last == f"Done exporting Packer logs to Azure for Packer prefix: [{PREFIX}] PACKER OUT"


def test_an_old_log_has_the_same_marks() -> None:
    """Telemetry, the hidden deprovision step and the harmless noise are there in both forms."""
    text = "\n".join(old_log(None))
    assert (
        re.findall(r"\(telemetry\) (Starting provisioner|ending) shell", text) == ["Starting provisioner", "ending"] * 3
    )
    assert "PACKER OUT ==> azure-arm: Provisioning with shell script: /tmp/DeprovisioningScript.sh" in text
    assert "InUseNetworkSecurityGroupCannotBeDeleted" in text
    assert "PACKER OUT ==> Builds finished but no artifacts were created." in text


def test_every_form_can_be_written() -> None:
    """Lines and messages have a writer for each form that the settings accept."""
    assert set(LOG_FORMS) == set(WRITERS) == set(PACKER_FAILURES)
