"""Old spellings brought to the current api-version."""
