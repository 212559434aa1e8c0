from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.failures import CANCEL, CREATION, RUN, RUN_CALL, PlannedFailure, PlannedFailureError
from aib_emulator.services.image_builder.failure_catalogue import CATALOGUE, HARMLESS, completed
from aib_emulator.services.image_builder.log_lines import LogWriter
from aib_emulator.services.image_builder.messages import LogPlace, failure_of
from aib_emulator.services.image_builder.planned import RunPlan, creation_error, plan_of
from aib_emulator.services.image_builder.timeline import Timeline, plan_run
from aib_emulator.settings import LOG_FORMS
from tests.reference_files import failure_signatures
from tests.unit.aib_emulator.services.image_builder.samples import SHELL, START, TO_GALLERY, image_template

PREFIX = "00000000-0000-0000-0000-00000000000f"
LOG_PLACE = LogPlace("https://127.0.0.1:1/account/packerlogs", "00000000-0000-0000-0000-00000000000e", PREFIX)
WINDOWS_SOURCE = {
    "type": "PlatformImage",
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2019-Datacenter",
    "version": "latest",
}
FILE = {"type": "File", "name": "f", "sourceUri": "https://e/setup.zip?sig=secret", "destination": "/opt/setup.zip"}
LINUX = {"customize": [SHELL, FILE], "distribute": [TO_GALLERY]}
WINDOWS = {
    "source": WINDOWS_SOURCE,
    "customize": [
        {"type": "PowerShell", "name": "p", "inline": ["Write-Host hi"]},
        FILE,
        {"type": "WindowsRestart", "name": "r"},
        {"type": "WindowsUpdate", "name": "u"},
    ],
    "distribute": [TO_GALLERY],
}
OF_RUNS = [name for name, entry in CATALOGUE.items() if RUN in entry.stages]
OF_CREATIONS = [name for name, entry in CATALOGUE.items() if CREATION in entry.stages]


def planned(name: str, **more: Any) -> PlannedFailure:
    """Plan a failure of the catalogue."""
    return completed(PlannedFailure(kind="catalogue", name=name, **more))


def template_for(name: str) -> Any:
    """Return an image template that such a failure can strike."""
    return image_template(**(WINDOWS if CATALOGUE[name].is_windows else LINUX))


def struck(name: str, log_form: str) -> tuple[RunPlan, Timeline, str, str]:
    """Return the plan of a run that is struck, its course, what the service says, and its logs."""
    template = template_for(name)
    plan = plan_of(planned(name, at=RUN, log_form=log_form), template, "new")
    timeline = plan_run(template.properties, START, plan.fault)
    failure = failure_of(template, timeline, plan.words, LOG_PLACE)
    log = "".join(part.text for part in LogWriter(template, PREFIX, plan.words).parts(timeline))
    return plan, timeline, f"{failure['code']}: {failure['message']}", log


@pytest.mark.parametrize("log_form", LOG_FORMS)
@pytest.mark.parametrize("name", OF_RUNS)
def test_a_run_shows_what_the_service_shows(name: str, log_form: str) -> None:
    """Every substring that is quoted of the service stands where it was seen, in both forms of the log."""
    _, timeline, said, log = struck(name, log_form)
    signatures = CATALOGUE[name].signatures
    said = said.replace("During the image build, a failure", "During the image build a failure")  # as it was once
    assert [quoted for quoted in signatures.get("L", ()) if quoted not in said] == []
    assert [quoted for quoted in signatures.get("C", ()) if quoted not in log] == []
    assert timeline.run_state == ("Succeeded" if CATALOGUE[name].course == HARMLESS else "Failed")
    assert "{" not in said.replace("{[Error 0]", "")
    assert "sig=secret" not in said + log


@pytest.mark.parametrize("name", OF_CREATIONS)
def test_a_creation_shows_what_the_service_shows(name: str) -> None:
    """Every substring that is quoted stands in the image template's error or in that of the operation."""
    error = creation_error(planned(name, at=CREATION), template_for(name))
    shown = f"{error.code} {error.operation_code} {error.message}"
    assert [quoted for quoted in CATALOGUE[name].signatures["P"] if quoted not in shown] == []


def test_no_two_failures_look_alike() -> None:
    """Message and log together tell every failure of a run from every other."""
    shown = {name: struck(name, "new")[2:] for name in OF_RUNS}
    good = {name for name in OF_RUNS if CATALOGUE[name].course == HARMLESS}
    assert len({shown[name] for name in OF_RUNS if name not in good}) == len(OF_RUNS) - len(good)


@pytest.mark.parametrize("name", OF_RUNS)
def test_every_build_that_began_writes_to_the_end_of_its_log(name: str) -> None:
    """Whatever goes wrong, a build that began has its marks and its last lines; one that never began has no log."""
    plan, _, _, log = struck(name, "new")
    if plan.fault is not None and plan.fault.kind == "refused":
        assert log == ""
    else:
        assert "(telemetry) Finalizing." in log or "Cancelling builder after context cancellation" in log
        assert "(telemetry) Starting builder azure-arm" in log


def test_the_catalogue_has_every_row_that_is_no_refusal() -> None:
    """Rows 7 to 38 are there, once each; the last one twice, since it tells of two failures."""
    assert sorted(entry.row for entry in CATALOGUE.values()) == [*range(7, 39), 38]


def test_words_of_ones_own_come_first() -> None:
    """A plan may word a failure of the catalogue anew."""
    plan = plan_of(planned("containers-quota", message="no room", code="Mine"), image_template(), "new")
    assert (plan.words.message, plan.words.code) == ("no room", "Mine")


def test_a_failure_strikes_the_customizer_that_knows_it() -> None:
    """A slow upload strikes the File customizer wherever it stands; without one, the customizer that is numbered."""
    known = plan_of(planned("slow-file-upload"), image_template(**LINUX), "new").fault
    lonely = plan_of(planned("slow-file-upload", index=0), image_template(), "new").fault
    assert known is not None
    assert lonely is not None
    assert (known.index, lonely.index) == (1, 0)


@pytest.mark.parametrize(
    ("name", "stage"), [("not-authorized", CREATION), ("gateway-timeout", RUN_CALL), ("stuck-canceling", CANCEL)]
)
def test_each_failure_has_its_usual_point(name: str, stage: str) -> None:
    """What can strike at several points strikes at the first of them, unless told otherwise."""
    assert planned(name).stage == stage


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "bad-weather"},
        {"name": ""},
        {"name": "build-timeout", "at": CREATION},
        {"name": "build-timeout", "log_form": "older"},
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(wrong: dict[str, str]) -> None:
    """An unknown name is not accepted, nor a point at which the failure never strikes."""
    with pytest.raises(PlannedFailureError, match=r"use one of|strikes at"):
        planned(**wrong)


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_quoted_is_what_the_service_shows(name: str) -> None:
    """Each substring that is known of the service for a row stands in the signatures of its failure."""
    row = CATALOGUE[name].row
    quoted = failure_signatures()[row]
    of_row = [entry for entry in CATALOGUE.values() if entry.row == row]
    known = " ".join(text for entry in of_row for texts in entry.signatures.values() for text in texts)
    assert [text for text in quoted if text not in known] == []
