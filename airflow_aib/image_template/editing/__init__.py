"""Edits of a document's text that leave everything else in it as it is."""
