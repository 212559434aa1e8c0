from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aib_emulator.failures import CANCEL, CREATION, RUN, RUN_CALL
from aib_emulator.services.image_builder.failure_catalogue import CATALOGUE, HARMLESS, CataloguedFailure
from tests.contract.image_builder.calls import IMAGE_TEMPLATES, SHELL, TO_VHD, create, document, last_run_status

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

PAGE = Path(__file__).parents[3] / "docs" / "emulator_failures.md"
FILE = {"type": "File", "name": "f", "sourceUri": "https://example.com/a.zip", "destination": "/opt/a.zip"}
WINDOWS = {
    "source": {
        "type": "PlatformImage",
        "publisher": "MicrosoftWindowsServer",
        "offer": "WindowsServer",
        "sku": "2019-Datacenter",
        "version": "latest",
    },
    "customize": [
        {"type": "PowerShell", "name": "p", "inline": ["Write-Host hi"]},
        {"type": "WindowsRestart", "name": "r"},
        {"type": "WindowsUpdate", "name": "u"},
    ],
}
LINUX = {"customize": [SHELL, FILE]}
PLACES = {"L": "run", "P": "creation", "C": "log", "A": "answer"}
STAGES = {CREATION: "creation", RUN: "run", RUN_CALL: "the call `run`", CANCEL: "cancel"}


def shows(entry: CataloguedFailure) -> str:
    """Return what is quoted of the service, as the page writes it."""
    return "; ".join(
        f"{PLACES[place]}: " + ", ".join(f"`{text.strip()}`" for text in texts)
        for place, texts in entry.signatures.items()
    )


def catalogue_table() -> list[str]:
    """Return the table of the page."""
    rows = [
        f"| `{name}` | {entry.row} | {' or '.join(STAGES[stage] for stage in entry.stages)} | {shows(entry)} |"
        for name, entry in CATALOGUE.items()
    ]
    return ["| `name` | row | strikes | what is quoted of the service |", "| --- | --- | --- | --- |", *rows]


def test_the_page_has_the_whole_catalogue() -> None:
    """The page's table is the one that follows from the code."""
    written = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert written == catalogue_table()


def log_of(raw: RawArm, name: str) -> str:
    """Return the customization log of the only run of an image template, found as clients find it."""
    group = raw.send("GET", f"{IMAGE_TEMPLATES}/{name}").json()["properties"]["exactStagingResourceGroup"]
    (account,) = raw.send("GET", f"{group}/providers/Microsoft.Storage/storageAccounts").json()["value"]
    url = f"{raw.thread.emulator.blob_url}/{account['name']}/packerlogs"
    token = raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
    listed = raw.session.get(f"{url}?restype=container&comp=list", headers=headers, timeout=30).text
    (blob,) = re.findall(r"<Name>([^<]+/customization\.log)</Name>", listed)
    return raw.session.get(f"{url}/{blob}", headers=headers, timeout=30).text


def test_every_failed_run_can_be_asked_for_by_name(raw: RawArm) -> None:
    """All at once: each image template reads as the service does, and so does its log."""
    names = [name for name, entry in CATALOGUE.items() if RUN in entry.stages]
    for name in names:
        properties = WINDOWS if CATALOGUE[name].is_windows else LINUX
        create(raw, name, **properties, distribute=[TO_VHD])
        raw.thread.control.plan_failure(kind="catalogue", name=name, image_template=name, at=RUN)
    operations = {}
    for name in names:
        operations[name] = raw.send("POST", f"{IMAGE_TEMPLATES}/{name}/run").headers["Location"]
    raw.thread.control.advance(86_400)
    for name in names:
        entry, status = CATALOGUE[name], last_run_status(raw, name)
        assert status["runState"] == ("Succeeded" if entry.course == HARMLESS else "Failed"), name
        error = raw.send("GET", operations[name]).json().get("error", {"code": "", "message": ""})
        assert error["message"] == status["message"]
        said = f"{error['code']}: {status['message']}"
        assert [text for text in entry.signatures.get("L", ()) if text not in said] == [], name
        quoted = entry.signatures.get("C", ())
        log = log_of(raw, name) if quoted else ""
        assert [text for text in quoted if text not in log] == [], name


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if CREATION in entry.stages])
def test_every_failed_creation_can_be_asked_for_by_name(raw: RawArm, name: str) -> None:
    """The image template and the operation say together what the service says."""
    raw.thread.control.plan_failure(kind="catalogue", name=name)
    url = f"{IMAGE_TEMPLATES}/{name}"
    answer = raw.send("PUT", url, document(raw.settings.subscription_id))
    raw.thread.control.advance(60)
    properties = raw.send("GET", url).json()["properties"]
    assert properties["provisioningState"] == "Failed"
    error = raw.send("GET", answer.headers["Azure-AsyncOperation"]).json()["error"]
    shown = " ".join([*error.values(), *properties["provisioningError"].values()])
    assert [text for text in CATALOGUE[name].signatures["P"] if text not in shown] == []
