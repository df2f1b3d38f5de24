"""The same problem in spinesim and in its peers, measured in one run: ``python -m benchmarks.peers``.

A peer is imported only where it is used, so that this package can be read, tested and searched for benchmarks where
not all of them are installed.
"""
