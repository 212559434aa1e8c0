from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_the_import_contracts_hold() -> None:
    """Every layer imports downwards only, the packages are independent, and what decides is pure."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-logo"], cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_every_package_has_layers_that_are_exhaustive() -> None:
    """A new folder or module in any package fails until somebody has decided its layer."""
    layered = [contract for contract in CONTRACTS if contract["type"] == "layers"]

    packages = {container for contract in layered for container in contract["containers"]}
    assert packages == {"airflow_aib", "airflow_aib.image_template", "aib_emulator", "demo"}
    assert all(contract["exhaustive"] for contract in layered)


def test_only_one_module_makes_clients_and_credentials() -> None:
    """Azure's clients and credentials are made in `hooks/clients.py` alone."""
    makes_one = re.compile(r"\w*(Credential|ManagementClient|ImageBuilderClient|BlobServiceClient|BlobClient)\(")
    makers = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "airflow_aib").rglob("*.py")
        if makes_one.search(file.read_text())
    }

    assert makers == {"airflow_aib/hooks/clients.py"}
