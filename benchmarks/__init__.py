"""Benchmarks against other tools, measured in the same run; one question per file, answered in docs/performance.md."""
