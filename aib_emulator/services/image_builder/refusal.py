"""How Image Builder refuses: its codes and its recorded sentences."""

from __future__ import annotations

import json
from typing import Any

REVIEW = (
    "Please review  http://aka.ms/azvmimagebuildertmplref  for details on fields requirements "
    "in the Image Builder Template."
)
OPERATION_PREFIX = "Microsoft.VirtualMachineImages/imageTemplates"


class RefusalError(Exception):
    """Refuse a call.

    :param status: the HTTP status
    :param code: the service's word
    :param message: the service's sentence
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def bad_value(place: str, field: str, value: Any) -> RefusalError:
    """Refuse a value, which is shown as the document may have it; `place` is where the field stands."""
    shown = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return _validation(f"'{place}': Field '{field}' has a bad value: '{shown}'.")


def missing_field(place: str, field: str) -> RefusalError:
    """Refuse a document that lacks a field."""
    return _validation(f"'{place}': Missing field '{field}'.")


def rule_broken(text: str) -> RefusalError:
    """Refuse what is well-formed and against a rule all the same."""
    return _validation(text)


def unknown_field(name: str) -> RefusalError:
    """Refuse a member that the api-version does not have, as the strict versions do."""
    message = f'Unmarshalling entity encountered error: json: unknown field "{name}"'
    return RefusalError(400, "ValidationFailed", message)


def deleted_distributor(run_output_name: str) -> RefusalError:
    """Refuse a PATCH that leaves a distributor out."""
    return RefusalError(
        400,
        "ValidationFailed",
        f"Validation failed: Distribute target with Runoutput name {run_output_name} not found in the update request. "
        "Deleting a distribution target is not allowed.",
    )


def update_not_supported() -> RefusalError:
    """Refuse a PUT over an existing image template."""
    return RefusalError(409, "Conflict", "Update/Upgrade of image templates is currently not supported")


def operation_not_allowed(operation: str, provisioning_state: str, run_state: str) -> RefusalError:
    """Refuse an operation in the present state.

    :param operation: `run/action`, `cancel/action`, `delete`, `write`
    :param provisioning_state: the service's internal word, such as `provisioned`
    :param run_state: the service's internal word, such as `running`; empty when nothing ever ran
    """
    if operation == "delete" and not run_state:
        # As reported in 2025; with a run there are only reports of 2020, and other operations nobody has reported.
        message = f"Operation 'DELETE' is not allowed in provisioningState: '{provisioning_state}'"
    else:
        in_run_state = f" or run state: {run_state}" if run_state else ""
        message = (
            f"Operation {OPERATION_PREFIX}/{operation} is not allowed in provisioning state: "
            f"{provisioning_state}{in_run_state}."
        )
    # The one report that shows a status says 405.
    return RefusalError(405, "OperationNotAllowed", message)


def identity_not_found(identity_id: str) -> RefusalError:
    """Refuse an identity that does not exist."""
    return RefusalError(
        400,
        "FailedIdentityOperation",
        f"Identity operation for resource failed with error 'Failed to perform resource identity operation. Status: "
        f'\'BadRequest\'. Response: \'{{"error":{{"code":"BadRequest","message":"Resource \'{identity_id}\' was '
        "not found.\"}}'.",
    )


def _validation(text: str) -> RefusalError:
    return RefusalError(400, "ValidationFailed", f"Validation failed: {text} {REVIEW}")
