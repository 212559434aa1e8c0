"""Deployments: a document of resources, its expressions, and the calls that it becomes."""
