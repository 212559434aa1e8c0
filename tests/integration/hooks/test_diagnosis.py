"""What the provider makes of the failures that the emulator keeps in its catalogue."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.failures import CREATION, RUN
from aib_emulator.services.image_builder.failure_catalogue import CATALOGUE, HARMLESS, CataloguedFailure
from aib_emulator.settings import LOG_FORMS
from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.resource_id import image_template_id
from airflow_aib.hooks.run_diagnosis import diagnose_image_template
from airflow_aib.hooks.run_report import read_report
from airflow_aib.image_run.run_status import RunState, read_last_run_status
from tests.fakes import FakeClock
from tests.integration.hooks.azure import GROUP, VHD, Azure

if TYPE_CHECKING:
    from airflow_aib.image_run.diagnosis import Diagnosis

log = logging.getLogger(__name__)

FILE = {"type": "File", "name": "f", "sourceUri": "https://example.com/a.zip", "destination": "/opt/a.zip"}
LINUX = {"customize": [{"type": "Shell", "name": "s", "inline": ["echo hello"]}, FILE]}
WINDOWS = {
    "source": {
        "type": "PlatformImage",
        "publisher": "MicrosoftWindowsServer",
        "offer": "WindowsServer",
        "sku": "2019-Datacenter",
        "version": "latest",
    },
    "customize": [
        {"type": "PowerShell", "name": "p", "inline": ["Write-Host hello"]},
        {"type": "WindowsRestart", "name": "r"},
        {"type": "WindowsUpdate", "name": "u"},
    ],
}
EXPECTED: dict[str, tuple[str, str | None]] = {
    "identity-deleted": ("identity-unusable", None),
    "not-authorized": ("permission-missing", None),
    "managed-image-forbidden": ("permission-missing", None),
    "gallery-version-missing": ("source-image-missing", None),
    "proxy-disk-denied": ("staging-permission-missing", None),
    "policy-denied": ("policy-denied", None),
    "script-failed": ("customizer-failed", "s"),
    "build-timeout": ("customizer-timeout", "s"),
    "slow-file-upload": ("large-file", "f"),
    "restart-timeout": ("windows-restart-timeout", "r"),
    "gallery-publish-timeout": ("replication-timeout", None),
    "distribution-failed": ("distribution-failed", None),
    "machine-exhausted": ("resources-exhausted", "u"),
    "deployment-too-slow": ("azure-too-slow", None),
    "network-tags-denied": ("permission-missing", None),
    "sysprep-never-ready": ("sysprep-agent-not-ready", None),
    "outdated-sysprep-script": ("sysprep-script-outdated", None),
    "containers-not-registered": ("container-instances-not-registered", None),
    "containers-quota": ("container-instances-quota", None),
    "containers-rate": ("container-instances-rate", None),
    "connection-lost": ("connection-lost", "s"),
    "token-too-short": ("timeout-too-short", None),
    "apt-lists-missing": ("system-not-settled", "s"),
    "hardened-image": ("script-not-executable", "s"),
    "hardened-windows": ("image-hardened", None),
}
"""By name: the class of the failure, and the customizer that has to do with it."""


def fails_a_run(entry: CataloguedFailure) -> bool:
    """Whether a run ends badly by it."""
    return RUN in entry.stages and entry.course != HARMLESS


async def start_failing(azure: Azure, name: str, log_form: str) -> str:
    """Start a run that is going to fail so, and return the image template's id."""
    own_id = image_template_id(azure.clients.settings.require_subscription_id(), GROUP, name)
    properties: dict[str, Any] = WINDOWS if CATALOGUE[name].is_windows else LINUX
    await azure.service.submit(own_id, azure.document(VHD, **properties))
    azure.control.advance(60)
    azure.control.plan_failure(kind="catalogue", name=name, image_template=name, at=RUN, log_form=log_form)
    await azure.service.start_run(own_id)
    return own_id


async def diagnosed(azure: Azure, own_id: str) -> Diagnosis:
    """Say why the run failed, as operators do."""
    status = read_last_run_status(await azure.service.require_image_template(own_id))
    assert status is not None
    assert status.run_state == RunState.FAILED
    return (await read_report(azure.service, own_id, status, log)).diagnose()


def name_of(diagnosis: Diagnosis) -> str | None:
    """Name the customizer, or the validator, that has to do with it."""
    step = diagnosis.customizer or diagnosis.validator
    return step.name if step else None


@pytest.mark.parametrize("log_form", LOG_FORMS)
async def test_every_documented_failure_is_recognised(azure: Azure, log_form: str) -> None:
    """From message and log, in both forms, comes the class that fits and the customizer that has to do with it."""
    azure.control.set_scale(0)
    started = {name: await start_failing(azure, name, log_form) for name in EXPECTED}
    azure.control.advance(86_400)
    found = {name: await diagnosed(azure, own_id) for name, own_id in started.items()}
    assert {name: (diagnosis.failure_class, name_of(diagnosis)) for name, diagnosis in found.items()} == EXPECTED


VALIDATORS = {
    "inVMValidations": [
        {"type": "Shell", "name": "port", "inline": ["true"]},
        {"type": "Shell", "name": "nginx", "inline": ["true"]},
    ]
}
# What can be planned beside the catalogue: the plan, the properties; the class, the step, the customizer or validator.
PLANS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str | None, str | None]]] = {
    "customizer": ({"kind": "customizer", "index": 1}, LINUX, ("customizer-failed", "customize", "f")),
    "windows": ({"kind": "customizer", "index": 0}, WINDOWS, ("network-trouble", "customize", "p")),
    "validator": (
        {"kind": "validator", "index": 1},
        {**LINUX, "validate": VALIDATORS},
        ("validator-failed", "validate", "nginx"),
    ),
    "validator-on": (
        {"kind": "validator", "index": 0},
        {**LINUX, "validate": {**VALIDATORS, "continueDistributeOnFailure": True}},
        ("validator-failed", "validate", "port"),
    ),
    "hang": ({"kind": "hang", "index": 0}, LINUX, ("customizer-timeout", "customize", "s")),
    "hang-in-file": ({"kind": "hang", "index": 1}, LINUX, ("large-file", "customize", "f")),
    "partial": ({"kind": "partial"}, LINUX, ("distribution-failed", "distribute", None)),
    "late": ({"kind": "late_success"}, LINUX, ("distribution-timeout", "distribute", None)),
    "withdrawn": ({"kind": "withdrawn_source"}, LINUX, ("source-image-missing", "deploy", None)),
    "staging": ({"kind": "staging_deleted"}, LINUX, ("staging-group-missing", None, None)),
}


async def start_planned(azure: Azure, name: str, log_form: str) -> str:
    """Start a run for which that is planned, and return the image template's id."""
    plan, properties, _ = PLANS[name]
    own_id = image_template_id(azure.clients.settings.require_subscription_id(), GROUP, name)
    await azure.service.submit(own_id, azure.document(VHD, **properties))
    azure.control.advance(60)
    azure.control.plan_failure(**plan, image_template=name, log_form=log_form)
    await azure.service.start_run(own_id)
    return own_id


@pytest.mark.parametrize("log_form", LOG_FORMS)
async def test_every_planned_failure_is_recognised(azure: Azure, log_form: str) -> None:
    """Customizers, validators, hangs, distributors, sources and the staging group: each has its class and step."""
    azure.control.set_scale(0)
    started = {name: await start_planned(azure, name, log_form) for name in PLANS}
    azure.control.advance(86_400)
    found = {}
    for name, own_id in started.items():
        status = read_last_run_status(await azure.service.require_image_template(own_id))
        assert status is not None
        diagnosis = (await read_report(azure.service, own_id, status, log)).diagnose()
        found[name] = (diagnosis.failure_class, diagnosis.step, name_of(diagnosis))
    assert found == {name: expected for name, (_, _, expected) in PLANS.items()}


@pytest.mark.parametrize("action", ["malformed", "truncated"])
async def test_a_log_that_cannot_be_read_once_is_read_again(azure: Azure, action: str) -> None:
    """Without the log nobody knows that a retry cannot help: a fault in reading it would cost another build."""
    own_id = await start_failing(azure, "script-failed", "new")
    azure.control.advance(86_400)
    azure.control.plan_fault(method="GET", path="/packerlogs", action=action)
    hurried = replace(azure, service=ImageTemplateService(azure.clients, clock=FakeClock()))

    assert (await diagnosed(hurried, own_id)).failure_class == "customizer-failed"


def test_the_whole_catalogue_is_expected() -> None:
    """No failure of a run is left out."""
    assert set(EXPECTED) == {name for name, entry in CATALOGUE.items() if fails_a_run(entry)}


CREATIONS = {
    "not-authorized": "permission-missing",
    "internal-error": "internal-error",
    "deployment-failed": "internal-error",
    "managed-image-forbidden": "permission-missing",
    "gallery-version-missing": "source-image-missing",
    "script-download-failed": "script-unreachable",
}


@pytest.mark.parametrize("name", CREATIONS)
async def test_every_failed_creation_is_recognised(azure: Azure, name: str) -> None:
    """The error with which waiting for a creation ends carries the diagnosis of its provisioning error."""
    azure.control.plan_failure(kind="catalogue", name=name, at=CREATION)
    with pytest.raises(ImageBuilderError) as caught:
        await azure.create()

    assert caught.value.diagnosis is not None
    assert caught.value.diagnosis.failure_class == CREATIONS[name]
    assert (await diagnose_image_template(azure.service, azure.image_template_id, log)).to_json() == (
        caught.value.diagnosis.to_json()
    )


def test_every_creation_of_the_catalogue_is_expected() -> None:
    """No failure of a creation is left out."""
    assert set(CREATIONS) == {name for name, entry in CATALOGUE.items() if CREATION in entry.stages}


async def test_good_runs_with_alarming_logs(azure: Azure) -> None:
    """What the catalogue calls harmless is no failure."""
    azure.control.set_scale(0)
    harmless = [name for name, entry in CATALOGUE.items() if entry.course == HARMLESS]
    for name in harmless:
        own_id = await start_failing(azure, name, "new")
        azure.control.advance(86_400)
        assert (await diagnose_image_template(azure.service, own_id, log)).failure_class == "no-failure", name
    assert len(harmless) == 3
