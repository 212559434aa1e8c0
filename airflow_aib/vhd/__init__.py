"""VHDs: what is copied, what is left, how it is verified. Pure: no Airflow, Azure SDK, HTTP or clock."""
