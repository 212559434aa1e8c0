from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_aib.image_run.deadline import build_timeout, run_deadline


def body(minutes: object) -> dict[str, object]:
    """Build an image template with a build timeout."""
    return {"properties": {"buildTimeoutInMinutes": minutes}}


@pytest.mark.parametrize("minutes", [0, None, -1, True, "90"])
def test_nothing_sensible_means_the_services_default(minutes: object) -> None:
    """0, and what is no number, mean four hours."""
    assert build_timeout(body(minutes)) == timedelta(minutes=240)


@pytest.mark.parametrize("image_template", [{}, {"properties": {}}, {"properties": None}])
def test_absent_means_the_services_default(image_template: dict[str, object]) -> None:
    """An absent timeout means four hours."""
    assert build_timeout(image_template) == timedelta(minutes=240)


@pytest.mark.parametrize(("minutes", "expected"), [(6, 6), (60, 60), (960, 960), (5000, 960)])
def test_at_most_sixteen_hours(minutes: int, expected: int) -> None:
    """The service never lets a build take longer than 960 minutes."""
    assert build_timeout(body(minutes)) == timedelta(minutes=expected)


def test_deadline_is_absolute() -> None:
    """The deadline is the start, the build's own limit and the allowance."""
    start = datetime(2025, 1, 1, 12, tzinfo=UTC)

    assert run_deadline(body(60), start, timedelta(minutes=30)) == datetime(2025, 1, 1, 13, 30, tzinfo=UTC)
