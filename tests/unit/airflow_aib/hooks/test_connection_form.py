from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_aib.hooks.clouds import CLOUDS
from airflow_aib.hooks.connection import AuthMethod, settings_from_connection
from airflow_aib.hooks.connection_form import CONNECTION_FIELDS, CONNECTION_TYPE_INFO
from airflow_aib.hooks.image_builder import AzureImageBuilderHook

CUSTOM_CLOUD_FIELDS = {
    "resource_manager_endpoint": "https://arm",
    "authority_host": "https://login",
    "storage_suffix": "storage",
}


def provider_schema() -> dict[str, Any]:
    """Return Airflow's schema of a connection type."""
    schema = json.loads(resources.files("airflow").joinpath("provider.yaml.schema.json").read_text())
    return dict(schema["properties"]["connection-types"]["items"])


def test_the_form_is_what_airflow_reads() -> None:
    """The form follows Airflow's schema for connection types."""
    jsonschema.validate(CONNECTION_TYPE_INFO, provider_schema())


def test_the_form_names_the_hook() -> None:
    """Form and hook agree on the connection type and on the name that people see."""
    assert CONNECTION_TYPE_INFO["connection-type"] == AzureImageBuilderHook.conn_type
    assert CONNECTION_TYPE_INFO["hook-name"] == AzureImageBuilderHook.hook_name
    assert CONNECTION_TYPE_INFO["hook-class-name"].endswith(".hooks.image_builder.AzureImageBuilderHook")


def test_the_form_as_it_opens_is_a_good_connection() -> None:
    """The values with which the form opens mean the default chain in the public cloud."""
    defaults = {name: field["schema"].get("default") for name, field in CONNECTION_FIELDS.items()}

    settings = settings_from_connection(conn_type="azure_image_builder", extra=defaults)

    assert settings.auth_method is AuthMethod.DEFAULT
    assert settings.cloud.name == "AzurePublicCloud"


@pytest.mark.parametrize("name", ["auth_method", "cloud_environment"])
def test_each_choice_of_the_form_is_understood(name: str) -> None:
    """No choice in the form is one that reading the connection refuses."""
    for choice in CONNECTION_FIELDS[name]["schema"]["enum"]:
        extra = {name: choice, "tenantId": "t"} | (CUSTOM_CLOUD_FIELDS if choice == "custom" else {})
        settings_from_connection(conn_type="azure_image_builder", login="c", password="p", extra=extra)


def test_every_field_says_what_it_is_for() -> None:
    """Each field has a label and a sentence."""
    assert all(
        field["label"] and field["description"].endswith((".", " https://")) for field in CONNECTION_FIELDS.values()
    )


@pytest.mark.parametrize("name", CONNECTION_FIELDS)
def test_every_field_is_in_the_reference(name: str) -> None:
    """The page about the connection has a row for each field, with the label that the form shows."""
    page = Path(__file__).parents[4] / "docs" / "reference" / "connection.md"

    assert f"| `{name}` | {CONNECTION_FIELDS[name]['label']} |" in page.read_text()


@pytest.mark.parametrize("name", CLOUDS)
def test_every_clouds_name_is_in_the_reference(name: str) -> None:
    """The page about the connection lists every name by which a cloud is known."""
    page = Path(__file__).parents[4] / "docs" / "reference" / "connection.md"

    assert f"`{name}`" in page.read_text().lower()
