"""The connection that everything uses unless it is told of another; a module of its own, since DAG files load it."""

DEFAULT_CONNECTION_ID = "azure_image_builder_default"
