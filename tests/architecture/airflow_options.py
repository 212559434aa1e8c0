"""Which options the installed Airflow and this provider know, for whatever names some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable


def known_options() -> set[tuple[str, ...]]:
    """Give section and name of every option."""
    import airflow

    from airflow_aib.get_provider_info import get_provider_info

    config = yaml.safe_load((Path(airflow.__path__[0]) / "config_templates" / "config.yml").read_text())
    config.update(get_provider_info()["config"])
    return {(section, option) for section, body in config.items() for option in body["options"]}


def options_of(variables: Iterable[str]) -> set[tuple[str, ...]]:
    """Give section and name of the options that variables of the environment set."""
    return {
        tuple(name.removeprefix("AIRFLOW__").lower().split("__")) for name in variables if name.startswith("AIRFLOW__")
    }
