"""Tell Airflow what this provider offers: its connection form, classes, commands, asset scheme and settings.

Every `airflow` command imports this module, so it loads nothing but the connection form's data.
"""

from __future__ import annotations

from typing import Any

from airflow_aib import __version__
from airflow_aib.hooks.connection_form import CONNECTION_TYPE_INFO

INTEGRATION = "Azure VM Image Builder"
CONFIG_SECTION = "azure_image_builder"

CONFIG_OPTIONS: dict[str, dict[str, Any]] = {
    "poll_interval": {
        "description": "Seconds between two looks at an image template while Airflow waits for it.",
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "30",
    },
    "trigger_min_age": {
        "description": (
            "Seconds that a deferred task stays deferred at least. Airflow's LocalExecutor reports the end of the "
            "worker that deferred up to five seconds late; a task that was resumed by then is taken for one that "
            "ended without a word, and fails. With CeleryExecutor or KubernetesExecutor it may be 0."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "15",
    },
    "provisioning_allowance": {
        "description": (
            "Seconds that a run may take, beyond its image template's build timeout, until the build begins: the "
            "service queues it, and makes the build VM and what surrounds it."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "900",
    },
    "distribution_allowance": {
        "description": (
            "Seconds that a run may take, beyond its image template's build timeout, to distribute the image and to "
            "tidy up. The service's own limit includes the distribution, and ends it late."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "1800",
    },
    "cancel_allowance": {
        "description": "Seconds that a cancelled run may take until it really has ended.",
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "1200",
    },
    "late_success_allowance": {
        "description": (
            "Seconds to wait for the images of a run whose distribution has failed, or did not come to its end in "
            "time: a replication goes on all the same. 0 waits for none."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "1800",
    },
    "busy_timeout": {
        "description": (
            "Seconds that a task which wants to run an image template waits for its turn at most, while runs of others "
            "go on; see `if_running` of the run operator."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "86400",
    },
    "handover": {
        "description": (
            "Seconds for which a run of somebody else must be over before a task runs the same image template: Azure "
            "shows end and outputs of the last run only, and whoever waits for that one has to read them first. It "
            "should be several times `poll_interval`."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "120",
    },
    "provision_timeout": {
        "description": "Seconds that creating or deleting an image template may take, scripts downloaded and all.",
        "version_added": "0.1.0",
        "type": "float",
        "example": None,
        "default": "3600",
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description in the form of Airflow's `provider_info.schema.json`."""
    return {
        "package-name": "airflow-aib",
        "name": INTEGRATION,
        "description": "Build images with Azure VM Image Builder, on a schedule and without losing anything.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": INTEGRATION,
                "external-doc-url": "https://learn.microsoft.com/azure/virtual-machines/image-builder-overview",
                "tags": ["azure"],
            },
        ],
        "operators": [
            {
                "integration-name": INTEGRATION,
                "python-modules": [
                    "airflow_aib.operators.asset",
                    "airflow_aib.operators.image_run",
                    "airflow_aib.operators.image_template",
                    "airflow_aib.operators.log",
                    "airflow_aib.operators.run_cancel",
                    "airflow_aib.operators.vhd",
                ],
            },
        ],
        "sensors": [{"integration-name": INTEGRATION, "python-modules": ["airflow_aib.sensors.image_run"]}],
        "hooks": [{"integration-name": INTEGRATION, "python-modules": ["airflow_aib.hooks.image_builder"]}],
        "triggers": [
            {
                "integration-name": INTEGRATION,
                "python-modules": ["airflow_aib.triggers.image_template", "airflow_aib.triggers.vhd"],
            }
        ],
        "connection-types": [CONNECTION_TYPE_INFO],
        "extra-links": [
            "airflow_aib.links.image_template.AzureImageTemplateLink",
            "airflow_aib.links.image_template.AzureStagingResourceGroupLink",
            "airflow_aib.links.image_template.AzureGalleryImageVersionLink",
        ],
        "cli": ["airflow_aib.cli.airflow_commands.get_image_builder_cli_commands"],
        "asset-uris": [{"schemes": ["azure-vm-image"], "handler": "airflow_aib.assets.image.sanitize_uri"}],
        "config": {
            CONFIG_SECTION: {"description": "How operators of Azure VM Image Builder wait.", "options": CONFIG_OPTIONS}
        },
    }
