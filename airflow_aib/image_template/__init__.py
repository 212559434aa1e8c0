"""What we ask Azure for: image templates read, rendered, checked and compared. Pure: no Airflow, Azure SDK or HTTP."""
