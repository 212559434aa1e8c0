from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from airflow_aib.get_provider_info import get_provider_info

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("operators", "sensors", "triggers", "links", "assets", "task_groups")
HEAVY = ("azure", "aiohttp", "requests", "fastapi", "msal", "msrest", "airflow.models", "airflow.providers.microsoft")
BASELINE = """
import json, sys
import airflow.triggers.base
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, TaskGroup
before = set(sys.modules)
import {modules}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def dag_file_modules() -> list[str]:
    """Return the modules that a DAG file, or every `airflow` command, imports."""
    files = [file for role in ROLES for file in sorted((ROOT / "airflow_aib" / role).rglob("*.py"))]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return ["airflow_aib.get_provider_info", "airflow_aib.exceptions", *names]


def loaded_by(modules: list[str], home: Path) -> list[str]:
    """Return what these modules load beyond what every DAG file has loaded already."""
    script = BASELINE.format(modules=", ".join(modules))
    environment = {"AIRFLOW_HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment)
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_dag_files_load_no_sdk(tmp_path: Path) -> None:
    """Operators, sensors, triggers, links, assets and task groups load no Azure SDK, no HTTP client and no ORM."""
    loaded = loaded_by(dag_file_modules(), tmp_path)

    assert "airflow_aib.operators" in loaded
    assert [name for name in loaded if any(name == top or name.startswith(f"{top}.") for top in HEAVY)] == []


# What constructors of tasks need; the rest is loaded by the task that runs.
LIGHT = {
    "airflow_aib.exceptions",
    "airflow_aib.hooks.accepted_losses",
    "airflow_aib.hooks.default_connection",
    "airflow_aib.image_run.choices",
    "airflow_aib.image_template.outline",
    "airflow_aib.triggers.access",
    "airflow_aib.vhd.copy_options",
    "airflow_aib.vhd.pace",
}
PUBLIC = (
    "airflow_aib.operators",
    "airflow_aib.sensors",
    "airflow_aib.links",
    "airflow_aib.assets",
    "airflow_aib.task_groups",
)


def test_dag_files_load_what_they_say_and_nothing_else(tmp_path: Path) -> None:
    """A DAG file pays for the tasks that it names, not for what they do once they run."""
    info = get_provider_info()
    named = [
        module
        for role in ("operators", "sensors", "triggers")
        for entry in info[role]
        for module in entry["python-modules"]
    ]
    loaded = loaded_by([*named, "airflow_aib.task_groups.fleet", "airflow_aib.assets.image"], tmp_path)
    ours = [name for name in loaded if name.startswith("airflow_aib.") and name.count(".") > 1]

    assert [
        name
        for name in ours
        if name not in LIGHT and name not in named and not name.startswith((*PUBLIC, "airflow_aib.triggers.options"))
    ] == []


def test_the_pure_packages_load_no_airflow(tmp_path: Path) -> None:
    """What decides can be used, and tested, without Airflow."""
    names = [f"airflow_aib.{name}" for name in ("image_template", "image_run", "vhd", "exceptions")]
    script = f"import sys, {', '.join(names)}; print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    environment = {"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment)

    assert done.stdout.strip() == "[]"
