from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "emulator.md"


def test_the_clients_of_the_guide_work_as_they_stand(emulator: EmulatorThread) -> None:
    """The guide's Python, run with the variables that the emulator hands out, reaches all that it is about."""
    code = "".join(re.findall(r"(?s)```python\n(.*?)```", GUIDE.read_text()))

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **emulator.env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    application = "['client_id', 'client_secret', 'object_id', 'tenant_id']"
    assert (done.returncode, done.stdout.splitlines()) == (0, ["[]", "[]", application]), done.stderr
