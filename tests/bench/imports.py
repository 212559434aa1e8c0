"""What a DAG file pays for importing us, beside the official provider's newest operator."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from airflow_aib.get_provider_info import get_provider_info
from demo.environment import inherited_environment

ROUNDS = 7
INFO = get_provider_info()
OURS = (
    *(
        module
        for role in ("operators", "sensors", "triggers")
        for entry in INFO[role]
        for module in entry["python-modules"]
    ),
    "airflow_aib.task_groups.fleet",
)
PEER = ("airflow.providers.microsoft.azure.operators.compute",)
# In a fresh interpreter, after what every DAG file has loaded: processor time and modules that the import adds.
PROBE = """
import importlib, json, sys, time
import airflow.triggers.base
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, TaskGroup
modules, start = len(sys.modules), time.process_time()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps({"seconds": time.process_time() - start, "modules": len(sys.modules) - modules}))
"""


@dataclass(frozen=True)
class ImportCost:
    """Hold what an import adds beyond `airflow.sdk`.

    :param seconds: processor time, the median of the rounds.
    :param modules: how many modules it loads.
    """

    seconds: float
    modules: int


def measure_imports() -> tuple[ImportCost, ImportCost]:
    """Return our cost and the peer's, measured in turns so that both see the same machine."""
    with tempfile.TemporaryDirectory() as home:
        rounds = [(_import_once(OURS, home), _import_once(PEER, home)) for _ in range(ROUNDS + 1)]
    warm = rounds[1:]  # the first one reads files that are not yet in the page cache
    return _median([ours for ours, _ in warm]), _median([peer for _, peer in warm])


def _import_once(names: tuple[str, ...], home: str) -> ImportCost:
    environment = {**inherited_environment(os.environ), "AIRFLOW_HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *names], check=True, capture_output=True, text=True, env=environment
    )
    return ImportCost(**json.loads(done.stdout.splitlines()[-1]))


def _median(costs: list[ImportCost]) -> ImportCost:
    return ImportCost(statistics.median(cost.seconds for cost in costs), costs[0].modules)
