"""Links from a task to the Azure portal."""
