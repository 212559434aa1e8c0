"""Images as Airflow assets: what DAGs are scheduled on."""
