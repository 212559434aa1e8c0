"""What a task leaves behind when it fails: why, as an XCom."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageBuilderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

# Under this key.
DIAGNOSIS_XCOM = "diagnosis"


@contextmanager
def pushed_diagnosis(context: Context) -> Iterator[None]:
    """Leave the diagnosis of an error as an XCom."""
    try:
        yield
    except ImageBuilderError as error:
        if error.diagnosis is not None:
            context["ti"].xcom_push(key=DIAGNOSIS_XCOM, value=error.diagnosis.to_json())
        raise
