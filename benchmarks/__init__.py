"""Speed of what a user waits for; run with ``make bench``, explained in docs/benchmarks.md."""
