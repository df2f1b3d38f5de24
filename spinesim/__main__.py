"""``python -m spinesim`` is the same as ``spinesim``."""

from spinesim.cli import main

main()
