"""Chains of tasks for use in any DAG."""
