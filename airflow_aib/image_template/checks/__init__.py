"""What we can know about an image template before Azure is asked: one file per part."""

from __future__ import annotations

from airflow_aib.image_template.checks.table import check, examine
from airflow_aib.image_template.checks.together import check_together

__all__ = ["check", "check_together", "examine"]
