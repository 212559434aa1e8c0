"""Deleting."""

from __future__ import annotations

FACTS = {
    "202, polled at either address": (
        "contract/image_builder/test_wire.py::test_an_operation_is_polled_at_either_address"
    ),
    "204 when absent": "contract/image_builder/test_image_templates.py::test_deleting_what_is_not_there_is_fine",
    "the staging group goes with log and VHD": (
        "contract/image_builder/test_image_templates.py::test_deleting_takes_the_staging_group_along"
    ),
    "allowed when failed": "test_section_03_put.py::test_a_failed_one_is_in_the_way_until_it_is_deleted",
    "refused while running": "contract/image_builder/test_wire.py::test_what_is_not_allowed_while_a_run_goes_on",
    "the 404 of a missing one": (
        "contract/image_builder/test_wire.py::test_a_missing_image_template_is_worded_as_recorded"
    ),
}
