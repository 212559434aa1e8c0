"""Gallery image versions."""

from __future__ import annotations

FACTS = {
    "the operation of a PUT": "contract/compute/test_image_versions.py::test_operation_is_compute_s_own",
    "the body": "contract/compute/test_image_versions.py::test_version_is_published",
    "regions as people read them": (
        "unit/aib_emulator/services/compute/test_shapes.py::test_region_comes_back_as_people_read_it"
    ),
    "replication on demand": "contract/compute/test_image_versions.py::test_version_replicates_by_the_clock",
    "a PATCH of regions": "contract/compute/test_image_versions.py::test_version_moves_to_more_regions",
    "excluded from latest": "contract/compute/test_image_versions.py::test_version_is_excluded_from_latest",
    "a deletion": "contract/compute/test_image_versions.py::test_deletion_can_be_monitored",
    "indent and line ends": (
        "unit/aib_emulator/arm/test_body_style.py::test_compute_indents_by_two_spaces_with_carriage_returns"
    ),
}
