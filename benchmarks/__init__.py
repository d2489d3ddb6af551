"""How fast, how small: one module for each question; `python -m benchmarks` asks them all."""
