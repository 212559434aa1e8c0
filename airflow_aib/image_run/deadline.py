"""How long a run may take: the service's own limit, and the moment at which we stop waiting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

TimeLimit = Literal["build_timeout", "execution_timeout"]
"""Which limit a run's deadline comes from: the build's own with what is allowed beyond it, or the task's."""

DEFAULT_BUILD_TIMEOUT = timedelta(minutes=240)
LONGEST_BUILD_TIMEOUT = timedelta(minutes=960)


def build_timeout(image_template_body: Mapping[str, Any]) -> timedelta:
    """Read how long the service lets a build take; 0 and absent mean its default of 240 minutes."""
    properties = image_template_body.get("properties")
    sent = properties.get("buildTimeoutInMinutes") if isinstance(properties, Mapping) else None
    if not isinstance(sent, int | float) or isinstance(sent, bool) or sent <= 0:
        return DEFAULT_BUILD_TIMEOUT
    return min(timedelta(minutes=sent), LONGEST_BUILD_TIMEOUT)


def run_deadline(image_template_body: Mapping[str, Any], start: datetime, allowance: timedelta) -> datetime:
    """Give the absolute moment at which a run must be over.

    :param start: when the run started, or was asked for
    :param allowance: for what the build's own limit does not cover, as provisioning and clean-up
    """
    return start + build_timeout(image_template_body) + allowance
