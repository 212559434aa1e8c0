"""The deployment's options of section `[azure_image_builder]`: how Airflow waits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta

from airflow_aib.arguments import require_interval, require_seconds
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL

CONFIG_SECTION = "azure_image_builder"


@dataclass(frozen=True)
class WaitingOptions:
    """Hold how this deployment waits; `get_provider_info` describes each option, and has the same defaults.

    :param poll_interval: seconds between two looks
    :param trigger_min_age: seconds that a task stays deferred at least
    :param provisioning_allowance: seconds that a run may take until its build timeout begins to count
    :param distribution_allowance: seconds that a run may take beyond that, to distribute and tidy up
    :param cancel_allowance: seconds that a cancelled run may take to end
    :param late_success_allowance: seconds to wait for images after a failed distribution
    :param busy_timeout: seconds that a run waits for its turn while others build the same image template
    :param handover: seconds that the end of a run is left to be read by others before the next run hides it
    :param provision_timeout: seconds that creating or deleting an image template may take
    """

    poll_interval: float = DEFAULT_POLL_INTERVAL
    trigger_min_age: float = 15.0
    provisioning_allowance: float = 900.0
    distribution_allowance: float = 1800.0
    cancel_allowance: float = 1200.0
    late_success_allowance: float = 1800.0
    busy_timeout: float = 86400.0
    handover: float = 120.0
    provision_timeout: float = 3600.0

    @property
    def allowance(self) -> float:
        """Seconds that a run may take beyond its build timeout in all."""
        return self.provisioning_allowance + self.distribution_allowance

    @property
    def defer_margin(self) -> timedelta:
        """What Airflow's own time limit of a deferral has over the trigger's, so that the trigger speaks first."""
        return timedelta(minutes=10, seconds=self.trigger_min_age)


def read_waiting_options() -> WaitingOptions:
    """Read the options from Airflow's configuration."""
    # Here, since the first question makes Airflow read the configuration of every provider.
    from airflow.sdk import conf

    values = {
        option.name: conf.getfloat(CONFIG_SECTION, option.name, fallback=option.default)
        for option in fields(WaitingOptions)
    }
    for name, value in values.items():
        require = require_interval if name == "poll_interval" else require_seconds
        require(f"Option {name} of section [{CONFIG_SECTION}] in Airflow's configuration", value)
    return WaitingOptions(**values)


def default_deferrable() -> bool:
    """Whether tasks of this deployment wait on the triggerer unless told otherwise."""
    from airflow.sdk import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
