"""What `python -m airflow_aib.cli` runs."""

from __future__ import annotations

import sys

from airflow_aib.cli import main

if __name__ == "__main__":
    sys.exit(main())
