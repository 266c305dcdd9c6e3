"""``python -m datafluid.cli``: the same as ``datafluid``."""

from datafluid.cli import main

main()
