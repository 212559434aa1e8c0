"""Operators for image templates, their runs, logs, VHDs and assets."""
