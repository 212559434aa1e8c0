"""User-assigned managed identities."""
