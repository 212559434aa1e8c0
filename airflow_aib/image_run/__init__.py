"""What Azure says back about a run: status, log, diagnosis, artifacts. Pure: no Airflow, Azure SDK, HTTP or clock."""
