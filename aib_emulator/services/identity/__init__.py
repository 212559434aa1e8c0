"""Entra: sign-in addresses and tokens."""
