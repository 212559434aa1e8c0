"""What is validated, and what happens by itself: validators, automatic runs, what stays after a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.reading import mapping, properties_of, text_of
from airflow_aib.image_template.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate


def check_validate(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report settings that have no effect, or more effect than a reader would think."""
    properties = properties_of(rendered)
    validate, path = mapping(properties.get("validate")), "/properties/validate"
    is_source_only = validate.get("sourceValidationOnly") is True
    if is_source_only and properties.get("customize"):
        yield warning(
            f"{path}/sourceValidationOnly",
            "validate-source-only",
            "Only the source is validated, so no customizer runs",
            "Leave out the customizers, or sourceValidationOnly.",
        )
    wants_validators = [
        key for key in ("sourceValidationOnly", "continueDistributeOnFailure") if validate.get(key) is True
    ]
    if wants_validators and not validate.get("inVMValidations"):
        yield warning(
            f"{path}/{wants_validators[0]}",
            "validate-nothing",
            "There are no validators",
            "Add them in inVMValidations.",
        )
    workload = mapping(mapping(properties.get("optimize")).get("workload"))
    if workload.get("state") == "Enabled" and not workload.get("scriptUri"):
        yield warning(
            "/properties/optimize/workload", "optimize-script", "There is no script of the workload", "Add scriptUri."
        )
    if text_of(mapping(properties.get("autoRun")), "state") == "Enabled":
        yield warning(
            "/properties/autoRun/state",
            "auto-run",
            "Creating the image template starts a build, which a run that follows collides with",
            "Leave it out where a DAG runs the image template.",
        )
    for member, value in mapping(properties.get("errorHandling")).items():
        if value == "abort":
            yield warning(
                f"/properties/errorHandling/{member}",
                "error-handling-abort",
                "After a failed build its VM, disks and network stay, and cost money",
                "Use it for a search only; then write 'cleanup'.",
            )
