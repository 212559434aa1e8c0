"""Envelopes and codes of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

FACTS = {
    "wrapped since 2021-10-01": (
        "contract/image_builder/test_api_versions.py::test_errors_are_wrapped_since_2021_10_01"
    ),
    "failed operations": "test_section_02_operations.py::test_a_failed_operation_is_answered_with_200",
    "failed creations": "contract/image_builder/test_image_templates.py::test_what_does_not_exist_fails_the_creation",
    "failed runs have a text only": "test_section_04_run.py::test_a_failed_run_leaves_the_provisioning_state",
    "statuses that are not known": "contract/image_builder/test_choices.py::test_what_is_chosen_is_answered",
    "the words of a bad value": (
        "unit/aib_emulator/services/image_builder/test_validation.py::test_a_bad_value_is_worded_as_recorded"
    ),
    "a missing field": (
        "unit/aib_emulator/services/image_builder/test_validation.py::test_a_missing_field_names_its_place"
    ),
    "strict since 2024-02-01": (
        "contract/image_builder/test_api_versions.py::test_only_the_strict_versions_are_strict"
    ),
    "a wrong value in every version": (
        "contract/image_builder/test_api_versions.py::test_a_wrong_value_is_refused_in_every_version"
    ),
    "missing rights are 403": "contract/authorization/test_rights.py::test_a_new_application_has_no_right",
    "a gateway timeout": "contract/control/test_control_door.py::test_a_lost_answer_to_a_run",
    "an unknown provider": "test_an_unknown_provider_is_refused",
}


def test_an_unknown_provider_is_refused(raw: RawArm) -> None:
    """A provider that there is not has a code of its own."""
    answer = raw.send("GET", "/providers/Microsoft.Nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "InvalidResourceNamespace")
