"""Staging groups and logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.contract.image_builder.calls import ONE, create

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

FACTS = {
    "a group with tags and one account": (
        "contract/image_builder/test_image_templates.py::test_the_staging_group_holds_a_storage_account"
    ),
    "its name is cut": (
        "contract/image_builder/test_image_templates.py::test_long_names_are_cut_in_the_staging_groups_name"
    ),
    "own tags": "test_managed_resource_tags_are_on_the_group",
    "a given group is emptied and stays": (
        "contract/image_builder/test_image_templates.py::test_a_given_staging_group_stays_when_the_image_template_goes"
    ),
    "a given name is made": (
        "contract/image_builder/test_image_templates.py::test_a_given_staging_group_is_made_when_it_is_not_there"
    ),
    "a given group must be fit": "contract/image_builder/test_wire.py::test_a_given_staging_group_must_be_fit",
    "where logs lie": "contract/image_builder/test_runs.py::test_the_customization_log_lies_in_the_staging_account",
    "validators have a log of their own": (
        "contract/image_builder/test_runs.py::test_a_failing_validator_has_a_log_of_its_own"
    ),
    "nobody reads them anonymously": "contract/storage/test_credentials.py::test_anonymous_read_is_refused",
    "both forms of the location": "contract/control/test_courses.py::test_logs_can_have_the_old_form",
    "the id in brackets is not the folder's": "test_the_id_in_brackets_is_not_the_folders",
    "forms of lines": (
        "unit/aib_emulator/services/image_builder/test_log_lines.py::test_every_line_has_the_form_of_the_service"
    ),
    "one provisioner more than customizers": (
        "unit/aib_emulator/services/image_builder/test_log_lines.py::test_there_is_one_provisioner_more_than_customizers"
    ),
    "the customizer that failed never ends": (
        "unit/aib_emulator/services/image_builder/test_log_lines.py::test_a_failing_customizer_never_ends"
    ),
    "what is no failure is in good logs too": (
        "unit/aib_emulator/services/image_builder/test_log_lines.py::test_good_and_failed_builds_end_alike"
    ),
}


def test_managed_resource_tags_are_on_the_group(raw: RawArm) -> None:
    """The staging group has the service's three tags and those that were asked for."""
    create(raw, managedResourceTags={"team": "images"})
    group = raw.send("GET", raw.send("GET", ONE).json()["properties"]["exactStagingResourceGroup"]).json()
    assert sorted(group["tags"]) == ["createdBy", "imageTemplateName", "imageTemplateResourceGroupName", "team"]
    assert (group["tags"]["imageTemplateName"], group["tags"]["imageTemplateResourceGroupName"]) == ("tmpl1", "images")


def test_the_id_in_brackets_is_not_the_folders(raw: RawArm) -> None:
    """A failed run's message names a folder and an id of the log's lines, and the two differ."""
    create(raw)
    raw.thread.control.plan_failure(kind="customizer")
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(1000)
    message = raw.send("GET", ONE).json()["properties"]["lastRunStatus"]["message"]
    folder = re.search(r"/containers/packerlogs/([0-9a-f-]{36})/customization\.log", message)
    prefix = re.search(r"Use this operationId ([0-9a-f-]{36}) to search packer logs", message)
    assert folder is not None
    assert prefix is not None
    assert folder[1] != prefix[1]
