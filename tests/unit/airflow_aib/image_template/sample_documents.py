"""The sample documents, and short ways to build bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderedImageTemplate, render
from airflow_aib.image_template.values.parameters import RenderContext

SAMPLES = Path(__file__).resolve().parents[3] / "image_templates"
CONTEXT = RenderContext("11111111-2222-3333-4444-555555555555", "images", "eastus")
GROUP = CONTEXT.resource_group_id
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/image-builder"

# What each sample asks for.
PARAMETERS: dict[str, dict[str, object]] = {
    "linux-2019.json": {"imgBuilderId": IDENTITY, "destinationResourceGroupName": "images"},
    "windows-2020.json": {},
    "gallery-deployment.json": {"imageName": "linux-base", "token": "hunter22"},
    "current.yaml": {},
}


def rendered_sample(name: str, **more: object) -> RenderedImageTemplate:
    """Render a sample document."""
    return render(read_document(SAMPLES / name), PARAMETERS[name] | more, CONTEXT)


def platform_image(publisher: str = "Canonical") -> dict[str, Any]:
    """Build a source."""
    return {"type": "PlatformImage", "publisher": publisher, "offer": "o", "sku": "s", "version": "latest"}


def body(**properties: Any) -> dict[str, Any]:
    """Build the body of a good image template, with some properties replaced; None leaves one out."""
    merged = {
        "source": platform_image(),
        "customize": [{"type": "Shell", "name": "one", "inline": ["true"]}],
        "distribute": [{"type": "VHD", "runOutputName": "vhd"}],
        **properties,
    }
    return {
        "location": "eastus",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        "properties": {key: value for key, value in merged.items() if value is not None},
    }


def rendered(image_template: dict[str, Any] | None = None, **properties: Any) -> RenderedImageTemplate:
    """Render a body, or the good one with some properties replaced."""
    return render(read_document(image_template or body(**properties)), {}, CONTEXT)
