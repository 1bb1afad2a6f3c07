"""Drivers for other programs that sync, run by tests/benchmarks/sync.py with their own interpreters."""
