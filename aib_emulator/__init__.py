"""A local Azure for image builds: Entra, Resource Manager and Image Builder over TLS, blobs through Azurite."""
