"""States in which Azure stays: each ends in its own bound, with an error of its own that says what helps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import (
    ImageRunCanceledError,
    ImageRunStuckError,
    ImageRunTimeoutError,
    ImageTemplateStuckError,
)
from airflow_aib.operators.run_memory import KEY
from tests.integration.airflow.tasks import BOTH_MODES, CANCEL, DELETE, RUN, create, task

if TYPE_CHECKING:
    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs

OVERDUE = -86400


@pytest.fixture(autouse=True)
def little_time(legs: Legs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait end after a moment, also after a deferral."""
    del legs
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__PROVISION_TIMEOUT", "0.3")
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__CANCEL_ALLOWANCE", "0.5")
    for module in ("image_template", "run_cancel"):
        monkeypatch.setattr(f"airflow_aib.operators.{module}.LAST_LOOKS", timedelta(seconds=0.1))


@BOTH_MODES
def test_an_image_template_that_stays_creating(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """The advice is about the staging resource group, and to use another name, since nothing can be deleted."""
    cloud.plan_failure(kind="stuck_creating")

    with pytest.raises(ImageTemplateStuckError, match=r"state is Creating\. .*stagingResourceGroup.*another name"):
        legs.run(create(cloud, deferrable=deferrable))


@BOTH_MODES
def test_an_image_template_that_stays_deleting(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """The advice names what keeps a staging resource group, in the order in which it must go."""
    cloud.create()
    cloud.plan_failure(kind="stuck_deleting")

    with pytest.raises(ImageTemplateStuckError, match=r"state is Deleting\. .*private endpoint.*link service, network"):
        legs.run(task(DELETE, "delete", deferrable=deferrable))


@BOTH_MODES
def test_a_cancel_that_stays_canceling(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """Nothing can be done with the image template then, so the advice is another name, and Azure's support."""
    cloud.create()
    cloud.emulator.control.set_scale(20)
    cloud.plan_failure(kind="stuck_canceling")
    cloud.start_run()

    with pytest.raises(ImageRunStuckError, match=r"it is Canceling since .*under another name.*support"):
        legs.run(task(CANCEL, "cancel", deferrable=deferrable))


@BOTH_MODES
def test_an_overdue_run_whose_cancel_is_stuck(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """It is reported within the cancel's own bound; the next try asks after the same run, and tells its real end."""
    cloud.create()
    cloud.plan_failure(kind="hang", index=0)
    cloud.plan_failure(kind="stuck_canceling", seconds=3600)

    with pytest.raises(ImageRunStuckError, match=r"(?s)not over at its deadline.*another name"):
        legs.run(task(RUN, "run", deferrable=deferrable, run_allowance=OVERDUE))
    assert KEY in legs.store.values

    cloud.emulator.control.advance(4000)
    with pytest.raises(ImageRunCanceledError, match="ended Canceled"):
        legs.run(task(RUN, "run", deferrable=deferrable, run_allowance=OVERDUE))
    assert cloud.count("POST", "/run") == 1
    assert legs.store.values == {}


@BOTH_MODES
def test_an_overdue_run_is_cancelled_through_an_outage(
    cloud: Cloud, legs: Legs, monkeypatch: pytest.MonkeyPatch, *, deferrable: bool
) -> None:
    """A cancel that Azure's troubles swallow is asked for again, so that the run does not go on and cost."""
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__CANCEL_ALLOWANCE", "60")
    cloud.create()
    cloud.plan_failure(kind="hang", index=0)
    cloud.plan_fault(method="POST", path="/cancel$", status=503, count=5)

    with pytest.raises(ImageRunTimeoutError, match="ended Canceled"):
        legs.run(task(RUN, "run", deferrable=deferrable, run_allowance=OVERDUE))

    assert cloud.count("POST", "/cancel") == 6


@BOTH_MODES
def test_an_overdue_run_that_may_not_be_cancelled(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """The error names the permission that lacks; the run goes on, and the next try asks after it."""
    cloud.create()
    cloud.plan_failure(kind="hang", index=0)
    cloud.plan_fault(method="POST", path="/cancel$", status=403, count=2)

    with pytest.raises(ImageRunTimeoutError, match=r"did not end it: .*imageTemplates/cancel/action on /subscriptions"):
        legs.run(task(RUN, "run", deferrable=deferrable, run_allowance=OVERDUE))

    assert KEY in legs.store.values
