"""The only code that talks to Azure."""

from __future__ import annotations
