"""``python -m datafluid``: the command line, where its script is not on PATH."""

from datafluid.cli import main

if __name__ == "__main__":
    main()
