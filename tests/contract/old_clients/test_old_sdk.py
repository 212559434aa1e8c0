"""The SDK before the present one, unmodified, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.contract.image_builder.calls import document, to_managed_image
from tests.contract.needed import needs

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

PROGRAM = Path(sys.prefix) / "share" / "clients" / "old" / "bin" / "python"
SCRIPT = Path(__file__).with_name("build_once.py")


@needs("old", "" if PROGRAM.exists() else "the older SDK is not installed: `make clients` does that")
def test_the_sdk_of_2020_builds_an_image(emulator: EmulatorThread) -> None:
    """Version 1 of the SDK, speaking 2020-02-14, creates, runs, lists, deletes, and gets bare errors."""
    emulator.control.set_scale(4000)
    subscription_id = emulator.emulator.settings.subscription_id
    sent = document(subscription_id, distribute=[to_managed_image(subscription_id)])
    done = subprocess.run(
        [PROGRAM, SCRIPT, json.dumps(sent)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": os.defpath, **emulator.env},
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    message = "Update/Upgrade of image templates is currently not supported"
    assert seen["refused"] == {"status": 409, "body": {"code": "Conflict", "message": message}}
    assert (seen["created"], seen["run"], seen["names"]) == ("Succeeded", "Succeeded", ["old"])
    assert [output.rpartition("/")[2] for output in seen["outputs"]] == ["img1"]
    asked = {request["client"] for request in emulator.control.requests() if "/imageTemplates" in request["path"]}
    assert all("mgmt-imagebuilder/1." in client for client in asked), asked
