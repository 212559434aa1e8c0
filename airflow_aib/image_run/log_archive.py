"""How an archive of logs is laid out: the folder of a run, and the index of an image template's runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.image_run.run_status import LastRunStatus

INDEX = "index.json"
DIAGNOSIS = "diagnosis.json"
EARLIER = "earlier"


def run_folder(image_template_name: str, status: LastRunStatus) -> str:
    """Give the folder for a run's logs: image template, start time and outcome.

    A colon in a name troubles too many tools that download.
    """
    return f"{image_template_name}/{status.start_time.replace(':', '-')}_{status.run_state}"


def with_run(index: bytes | None, run: Mapping[str, Any]) -> bytes:
    """Give the index with a run added, or replaced where it is in already; the newest run stands first.

    :param index: as it was read, or None; what is no index any more is replaced
    :param run: what is said of the run; `start_time` tells runs apart
    """
    others = [known for known in _runs(index) if known.get("start_time") != run["start_time"]]
    runs = sorted([*others, dict(run)], key=lambda known: str(known.get("start_time")), reverse=True)
    return json.dumps({"runs": runs}, indent=1).encode()


def _runs(index: bytes | None) -> list[dict[str, Any]]:
    try:
        known = json.loads(index or b"{}")
    except ValueError:
        return []
    runs = known.get("runs") if isinstance(known, dict) else None
    return [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
