"""What we can know about an image template before Azure is asked: one file per part."""

from __future__ import annotations

from airflow_aib.image_template.checks.table import check, examine

__all__ = ["check", "examine"]
