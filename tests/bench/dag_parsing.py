"""What Airflow pays to read a DAG file that makes 200 rebuild DAGs, beside as many of EmptyOperators."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from demo.environment import inherited_environment

ROUNDS = 7
DAGS = 200
ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "dags" / "image_templates" / "linux_vhd.json"
OURS = """
from pathlib import Path
from airflow_aib.task_groups.fleet import image_rebuild_dags

image_rebuild_dags(
    Path(__file__).parent / "images",
    resource_group_name="images",
    log_destination="imagestore/images/logs",
    vhd_destination="imagestore/images/vhds",
    schedule="0 3 * * 1",
    parameters={"region": "eastus", "identityName": "image-builder", "gallery": "corp", "imageDefinition": "linux"},
    cache_folder=Path(__file__).parent / "cache",
)
"""
PEER = f"""
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TaskGroup

for number in range({DAGS}):
    with DAG(f"empty_{{number}}", schedule="0 3 * * 1", catchup=False, max_active_runs=1, tags=["images"]):
        with TaskGroup("image_rebuild"):
            names = ("create", "run", "collect_logs", "copy_vhds", "publish")
            create, run, collect, copy, publish = (EmptyOperator(task_id=name) for name in names)
            create >> run >> [collect, copy] >> publish
"""
# As the DAG processor does it in a process of its own: processor time from the file to serialized DAGs.
PROBE = """
import json, sys, time
import structlog
from airflow.dag_processing.processor import DagFileParseRequest, _parse_file
from airflow.providers.standard.operators.empty import EmptyOperator
request = DagFileParseRequest(file=sys.argv[1], bundle_path=sys.argv[2], bundle_name="bench", callback_requests=[])
start = time.process_time()
parsed = _parse_file(request, structlog.get_logger())
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "dags": len(parsed.serialized_dags), "errors": parsed.import_errors}))
"""


@dataclass(frozen=True)
class ParsingCost:
    """Hold what reading a DAG file takes.

    :param first: processor seconds when nothing is remembered of the documents
    :param again: the median of the following rounds
    """

    first: float
    again: float


def measure_parsing() -> tuple[ParsingCost, ParsingCost]:
    """Return our cost and the peer's, measured in turns so that both see the same machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder)
        rounds = [(_parse(folder, "ours.py"), _parse(folder, "peer.py")) for _ in range(ROUNDS + 1)]
    ours, peer = ([seconds[side] for seconds in rounds] for side in (0, 1))
    return ParsingCost(ours[0], statistics.median(ours[1:])), ParsingCost(peer[0], statistics.median(peer[1:]))


def _write(folder: Path) -> None:
    images = folder / "images"
    images.mkdir()
    text = DOCUMENT.read_text(encoding="utf-8")
    for number in range(DAGS):
        (images / f"image{number:03}.json").write_text(text.replace("linux-vhd", f"linux-{number}"), encoding="utf-8")
    (folder / "ours.py").write_text(OURS, encoding="utf-8")
    (folder / "peer.py").write_text(PEER, encoding="utf-8")


def _parse(folder: Path, file: str) -> float:
    environment = {**inherited_environment(os.environ), "AIRFLOW_HOME": str(folder / "home")}
    command = [sys.executable, "-c", PROBE, str(folder / file), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found = json.loads(done.stdout.splitlines()[-1])
    if found["dags"] != DAGS or found["errors"]:
        raise RuntimeError(f"{file} made {found['dags']} DAGs: {found['errors']}")
    return float(found["seconds"])
