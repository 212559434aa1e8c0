"""Storage accounts and their blob containers, as Resource Manager shows them."""
