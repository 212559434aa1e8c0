"""Api-versions."""

from __future__ import annotations

FACTS = {
    "members": "contract/image_builder/test_api_versions.py::test_a_member_counts_since_its_version",
    "what is shown is the caller's": (
        "contract/image_builder/test_api_versions.py::test_a_member_shows_since_its_version"
    ),
    "kinds": "contract/image_builder/test_api_versions.py::test_a_kind_is_known_since_its_version",
    "file validators": (
        "contract/image_builder/test_api_versions.py::test_validators_of_files_are_known_since_2022_07_01"
    ),
    "script and scriptUri": (
        "contract/image_builder/test_api_versions.py::test_scripts_had_another_name_in_the_first_previews"
    ),
    "identity": "contract/image_builder/test_api_versions.py::test_an_identity_is_required_in_every_version",
    "the envelope": "contract/image_builder/test_api_versions.py::test_errors_are_wrapped_since_2021_10_01",
    "the exact version and the staging members": (
        "contract/image_builder/test_api_versions.py::test_what_the_service_adds_by_version"
    ),
    "triggers": "contract/image_builder/test_api_versions.py::test_triggers_are_served_since_2022_07_01",
    "PATCH of the VM profile": (
        "contract/image_builder/test_api_versions.py::test_a_patch_of_the_vm_profile_counts_since_2024_02_01"
    ),
    "abort keeps the build VM": "contract/control/test_courses.py::test_an_error_can_keep_the_build_vm",
    "strictness": "contract/image_builder/test_api_versions.py::test_only_the_strict_versions_are_strict",
}
