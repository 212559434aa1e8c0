"""The text of a document, and what stands where in it."""
