"""The resource providers, one folder each; none knows another."""
