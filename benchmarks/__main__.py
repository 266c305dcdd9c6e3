"""Every table, one after the other: ``python -m benchmarks [--small] [--json DIRECTORY] [--document FILE]``."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

_TABLES = ("warm_reads", "cold_reads", "warm_up", "growth", "starts", "kubernetes_plane", "wrapping", "placement")


def main() -> int:
    """Run them; 1 when a fact of one is out of its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="quick runs, for tests: the times mean nothing")
    parser.add_argument("--json", type=Path, metavar="DIRECTORY", help="also write the results there")
    parser.add_argument("--document", type=Path, metavar="FILE", help="also put the tables into this Markdown file")
    options = parser.parse_args()
    failed = 0
    for name in _TABLES:
        module = import_module(f"benchmarks.{name}")
        arguments = ["--small"] if options.small else []
        if options.json is not None:
            options.json.mkdir(parents=True, exist_ok=True)
            arguments += ["--json", str(options.json / f"{name}.json")]
        if options.document is not None:
            arguments += ["--document", str(options.document)]
        failed |= module.main(module.measure, module.Sizes(), module.SMALL, arguments)
    return failed


if __name__ == "__main__":
    sys.exit(main())
