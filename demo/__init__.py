"""Real Airflow processes beside the emulator: what `make demo`, `make up` and the system test run on."""
