"""Timings side by side: ``python -m benchmarks`` is the table; other modules run by themselves."""
