"""Build an image with the SDK of 2020; runs in the environment of `make clients`, with the emulator's variables."""

from __future__ import annotations

import json
import os
import sys

from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.imagebuilder import ImageBuilderClient

GROUP, NAME, API_VERSION = "images", "old", "2020-02-14"


def main() -> None:
    """Create, fail to create again, run, look at what came of it, and delete; print what was seen as JSON."""
    client = ImageBuilderClient(
        DefaultAzureCredential(disable_instance_discovery=True),
        os.environ["AZURE_SUBSCRIPTION_ID"],
        api_version=API_VERSION,
        base_url=os.environ["AIB_EMULATOR_ARM"],
        polling_interval=0.05,
    )
    image_templates = client.virtual_machine_image_templates
    created = image_templates.begin_create_or_update(GROUP, NAME, json.loads(sys.argv[1])).result()
    try:
        image_templates.begin_create_or_update(GROUP, NAME, json.loads(sys.argv[1]))
        refused = None
    except HttpResponseError as error:
        refused = {"status": error.status_code, "body": json.loads(error.response.text() if error.response else "null")}
    image_templates.begin_run(GROUP, NAME).result()
    run = image_templates.get(GROUP, NAME).last_run_status.run_state
    outputs = [output.artifact_id for output in image_templates.list_run_outputs(GROUP, NAME)]
    names = [found.name for found in image_templates.list_by_resource_group(GROUP)]
    image_templates.begin_delete(GROUP, NAME).result()
    seen = {"created": created.provisioning_state, "refused": refused, "run": run, "outputs": outputs, "names": names}
    print(json.dumps(seen))  # noqa: T201 - the test reads it


main()
