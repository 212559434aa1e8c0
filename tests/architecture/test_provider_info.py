from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import airflow
import jsonschema
import pytest

from airflow_aib.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from collections.abc import Iterator

INFO = get_provider_info()
ROLES = {"operators": "Operator", "sensors": "Sensor", "triggers": "Trigger"}


def modules_of(role: str) -> list[str]:
    """Return the modules that the provider info lists for a role."""
    return [module for entry in INFO[role] for module in entry["python-modules"]]


def paths(value: Any) -> Iterator[str]:
    """Yield every text below `value` that is a dotted path into our package."""
    if isinstance(value, dict):
        for child in value.values():
            yield from paths(child)
    elif isinstance(value, list):
        for child in value:
            yield from paths(child)
    elif isinstance(value, str) and value.startswith("airflow_aib."):
        yield value


def test_the_schema_of_airflow_accepts_it() -> None:
    """The provider info is valid against the schema that Airflow itself checks."""
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())

    jsonschema.validate(INFO, schema)


@pytest.mark.parametrize("path", sorted(set(paths(INFO))))
def test_every_path_can_be_imported(path: str) -> None:
    """Each module, class and function that the provider info names is there."""
    try:
        importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("role", "suffix"), ROLES.items())
def test_every_module_of_a_role_is_listed(role: str, suffix: str) -> None:
    """Each file of operators/, sensors/ and triggers/ that defines such a class is listed, so that Airflow shows it."""
    package = importlib.import_module(f"airflow_aib.{role}")
    files = sorted(Path(package.__path__[0]).glob("[!_]*.py"))
    defining = [
        f"airflow_aib.{role}.{file.stem}"
        for file in files
        if f"{suffix}(" in file.read_text() and "class Azure" in file.read_text()
    ]

    assert sorted(modules_of(role)) == defining


def test_the_package_name_is_the_distribution() -> None:
    """Airflow finds the provider, and its example DAGs, by the distribution's name."""
    distribution = importlib.metadata.distribution(INFO["package-name"])

    assert distribution.version in INFO["versions"]
    (entry,) = distribution.entry_points.select(group="apache_airflow_provider")
    assert entry.load() is get_provider_info


def test_every_option_has_a_default_of_its_type() -> None:
    """A configuration option's default can be read as the type that it declares."""
    readable = {"float": r"\d+(\.\d+)?", "integer": r"\d+", "string": r".*", "boolean": r"True|False"}
    options = [option for section in INFO["config"].values() for option in section["options"].values()]

    assert options
    assert [option for option in options if not re.fullmatch(readable[option["type"]], option["default"])] == []


def test_airflow_shows_the_provider(tmp_path: Path) -> None:
    """`airflow providers get airflow-aib` finds the provider, with its connection type and its links."""
    program = Path(sys.executable).parent / "airflow"
    environment = {"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [str(program), "providers", "get", "airflow-aib", "--full", "--output", "json"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    (provider,) = json.loads(shown[shown.index("[") :])

    assert provider["package-name"] == "airflow-aib"
    assert "azure_image_builder" in json.dumps(provider["connection-types"])
