"""The benchmarks: they measure the figures in RESULTS.md."""
