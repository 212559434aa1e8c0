"""What the triggerer awaits while a task is deferred, and what it shares with tasks that wait on a worker."""
