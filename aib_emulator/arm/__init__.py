"""The Resource Manager protocol: ids, calls and answers, errors, operations, pages; no service's rules."""
