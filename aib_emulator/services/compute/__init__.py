"""Galleries, image versions, managed images and the marketplace's platform images."""
