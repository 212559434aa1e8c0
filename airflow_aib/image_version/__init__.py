"""Image versions: numeric order and the choice of the latest. Pure: no Airflow, Azure SDK, HTTP or clock."""
