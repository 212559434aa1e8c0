"""Sensors that wait for what others do with image templates."""
