"""Apache Airflow provider for Azure VM Image Builder: scheduled image rebuilds that lose nothing."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
