"""Timings side by side; each module runs by itself: ``python -m benchmarks.newton_step``."""
