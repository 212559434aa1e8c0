"""One poller for all waits of a process that look at image templates with the same connection."""
