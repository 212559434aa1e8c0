"""The sections of docs/benchmarks.md, one file each."""
