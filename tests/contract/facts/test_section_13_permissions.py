"""Permissions."""

from __future__ import annotations

FACTS = {
    "actions of the caller": "contract/authorization/test_rights.py::test_each_call_names_its_action",
    "every route demands one": (
        "contract/test_rights_of_routes.py::test_every_route_of_resource_manager_demands_an_action"
    ),
    "assigning identities": (
        "contract/authorization/test_rights.py::test_whoever_names_an_identity_must_be_allowed_to"
    ),
    "a runner that creates nothing": "contract/authorization/test_rights.py::test_a_runner_that_creates_nothing",
    "logs need a data role": "contract/authorization/test_rights.py::test_blobs_are_read_by_role_assignment",
    "what the identity needs": "unit/aib_emulator/services/image_builder/test_rights.py::test_what_an_identity_needs",
    "the documented rights are enough": (
        "contract/image_builder/test_rights_of_identity.py::test_the_rights_that_azure_documents_are_enough"
    ),
    "private scripts": "contract/image_builder/test_rights_of_identity.py::test_a_private_script_needs_a_data_role",
    "providers can be registered": "contract/sdks/test_every_operation.py::test_every_operation_is_answered",
}
