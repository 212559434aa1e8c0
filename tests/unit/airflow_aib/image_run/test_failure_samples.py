from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import Evidence
from airflow_aib.image_run.failure_signatures import ALL_SIGNATURES
from airflow_aib.image_run.step_failures import FAILED_IN, OUTCOMES, TIMED_OUT_IN
from tests.unit.airflow_aib.image_run.sample_failures import FORMS, SAMPLES, SampleFailure

if TYPE_CHECKING:
    from airflow_aib.image_run.diagnosis import BuildStep, Diagnosis

ROWS_OF_THE_CATALOGUE = set(range(1, 39))
CLASSES = {row.failure_class for row in (*ALL_SIGNATURES, *OUTCOMES, *TIMED_OUT_IN.values(), *FAILED_IN.values())}

ALL = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
BOTH_FORMS = pytest.mark.parametrize("form", FORMS)


def told(diagnosis: Diagnosis, names: set[str]) -> dict[str, str]:
    """Give what a diagnosis says, as the samples write it."""
    retry = {False: "never", None: "unknown"}.get(diagnosis.may_retry, "")
    everything = {
        "step": str(diagnosis.step),
        "customizer": written(diagnosis.customizer),
        "validator": written(diagnosis.validator),
        "exit_code": str(diagnosis.exit_code),
        "error": next(iter(diagnosis.error_lines), ""),
        "retry": retry or str(diagnosis.retry_after),
    }
    return {name: value for name, value in everything.items() if name in names}


def written(step: BuildStep | None) -> str:
    """Write a customizer as the samples do."""
    return f"{step.index} {step.name or ''}".strip() if step else ""


@ALL
@BOTH_FORMS
def test_every_sample_has_its_class(sample: SampleFailure, form: str) -> None:
    """Each failure of the catalogue, in both forms of the log, is taken for what it is and for nothing else."""
    diagnosis = diagnose(sample.evidence(form))

    assert diagnosis.failure_class == sample.facts["class"]
    assert told(diagnosis, set(sample.facts)) == {
        name: sample.facts[name] for name in told(diagnosis, set(sample.facts))
    }
    assert diagnosis.remedy
    assert len(diagnosis.lines()) <= 9


@pytest.mark.parametrize("sample", [s for s in SAMPLES if "alone" in s.facts], ids=lambda sample: sample.name)
@BOTH_FORMS
def test_a_telling_log_is_enough(sample: SampleFailure, form: str) -> None:
    """Where the log tells it all, the same comes of the log alone, without status and image template."""
    diagnosis = diagnose(Evidence(customization_log=sample.read_log(form)))

    assert diagnosis.failure_class == sample.facts["class"]
    if "customizer" in sample.facts:
        assert written(diagnosis.customizer) == sample.facts["customizer"].split()[0]


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.log and "customize" in s.facts], ids=lambda s: s.name)
def test_no_sample_is_taken_for_another_without_the_services_words(sample: SampleFailure) -> None:
    """A log alone gives its class, or one that says less; never that of another failure."""
    vague = {"log-unfinished", "interrupted", "no-failure", sample.facts["class"]}
    if sample.facts["class"] == "validator-failed":
        vague.add("customizer-failed")

    assert diagnose(Evidence(customization_log=sample.read_log("new"))).failure_class in vague


def test_every_row_of_the_catalogue_has_a_sample() -> None:
    """No failure that is documented or was reported is left out."""
    assert {int(sample.facts["row"]) for sample in SAMPLES if "row" in sample.facts} == ROWS_OF_THE_CATALOGUE


def test_every_class_has_a_sample() -> None:
    """No row of our own tables is without one, and no sample has a class that is in none."""
    assert {sample.facts["class"] for sample in SAMPLES} == CLASSES


def test_class_names_are_unique() -> None:
    """A name means one thing."""
    names = [row.failure_class for row in (*ALL_SIGNATURES, *OUTCOMES, *TIMED_OUT_IN.values())]
    assert len(names) == len(set(names))
