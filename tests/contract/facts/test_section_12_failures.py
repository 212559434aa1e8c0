"""Failures of builds: what the service says, where, and in which log."""

from __future__ import annotations

FACTS = {
    "1 an existing one is not replaced": (
        "contract/image_builder/test_image_templates.py::test_an_existing_image_template_is_not_replaced"
    ),
    "2 a bad value": (
        "unit/aib_emulator/services/image_builder/test_validation.py::test_a_bad_value_is_worded_as_recorded"
    ),
    "3 a missing field": (
        "unit/aib_emulator/services/image_builder/test_validation.py::test_a_missing_field_names_its_place"
    ),
    "4 distributors are patched all together": (
        "contract/image_builder/test_image_templates.py::test_distributors_are_patched_all_together"
    ),
    "5 an unknown field": "contract/image_builder/test_api_versions.py::test_only_the_strict_versions_are_strict",
    "6 not allowed": "contract/image_builder/test_wire.py::test_what_is_not_allowed_while_a_run_goes_on",
    "7 to 38 have a name": (
        "unit/aib_emulator/services/image_builder/test_failure_catalogue.py"
        "::test_the_catalogue_has_every_row_that_is_no_refusal"
    ),
    "the messages and logs of failed runs": (
        "unit/aib_emulator/services/image_builder/test_failure_catalogue.py::test_a_run_shows_what_the_service_shows"
    ),
    "the messages of failed creations": (
        "unit/aib_emulator/services/image_builder/test_failure_catalogue.py::test_a_creation_shows_what_the_service_shows"
    ),
    "each failed run can be had": (
        "contract/image_builder/test_failure_catalogue.py::test_every_failed_run_can_be_asked_for_by_name"
    ),
    "each failed creation can be had": (
        "contract/image_builder/test_failure_catalogue.py::test_every_failed_creation_can_be_asked_for_by_name"
    ),
    "36 a gateway that gives up": "contract/control/test_courses.py::test_the_gateway_can_give_up_on_a_run",
    "37 a cancellation that does not end": "contract/control/test_courses.py::test_a_cancellation_can_be_stuck",
}
