from __future__ import annotations

import json

import pytest

from airflow_aib.image_run.log_archive import run_folder, with_run
from airflow_aib.image_run.run_status import LastRunStatus

STATUS = LastRunStatus("Failed", None, "2026-05-04T03:02:01.25Z", "2026-05-04T04:02:01Z", "")


def runs(index: bytes) -> list[dict[str, str]]:
    """Return the runs of an index."""
    found: list[dict[str, str]] = json.loads(index)["runs"]
    return found


def test_a_folder_tells_image_template_start_and_outcome() -> None:
    """Who looks through the archive sees how each run ended; no colon troubles a download."""
    assert run_folder("base", STATUS) == "base/2026-05-04T03-02-01.25Z_Failed"


def test_the_newest_run_stands_first() -> None:
    """Runs are listed by their start, in whatever order they were archived."""
    index = with_run(with_run(None, {"start_time": "2026-02"}), {"start_time": "2026-01"})

    assert [run["start_time"] for run in runs(with_run(index, {"start_time": "2026-03"}))] == [
        "2026-03",
        "2026-02",
        "2026-01",
    ]


def test_a_run_is_listed_once() -> None:
    """Archiving again replaces what was said of the run."""
    index = with_run(None, {"start_time": "2026-01", "run_state": "Canceling"})

    assert runs(with_run(index, {"start_time": "2026-01", "run_state": "Canceled"})) == [
        {"start_time": "2026-01", "run_state": "Canceled"}
    ]


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b'{"runs": 7}', b'{"runs": ["x"]}'])
def test_an_index_that_somebody_spoilt_is_begun_anew(spoilt: bytes) -> None:
    """The logs are what counts: an index that cannot be read keeps nobody from archiving."""
    assert runs(with_run(spoilt, {"start_time": "2026-01"})) == [{"start_time": "2026-01"}]
