"""Run every code block of a Markdown document, in order, in the current directory.

```python            one namespace for the whole document
```sh                bash, stopping at the first failure; a block of `make` lines is only checked to exist
```sh cluster        (and python cluster) only where a cluster is there: tests/cluster runs those
```yaml name.yaml    written to that file; without a name it is linted
```text              output, for reading

python run_document.py DOCUMENT REPOSITORY
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(?P<kind>\w*)[ ]*(?P<name>[\w.-]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


def main(document: Path, repository: Path) -> None:
    """Run the document."""
    names: dict[str, Any] = {"__name__": "__main__"}
    text = document.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        run(block["kind"], block["name"], block["body"], f"{document.name}:{line}", names, repository)


def run(kind: str, name: str, body: str, place: str, names: dict[str, Any], repository: Path) -> None:
    """Run one block.

    Raises:
        SystemExit: it failed, or says not what it is.
    """
    print(f"-- {place} {kind}", flush=True)
    if name == "cluster" and not os.environ.get("DATAFLUID_DOCUMENTS_CLUSTER"):
        return
    if kind == "python":
        exec(compile(body, place, "exec"), names)
    elif kind == "sh" and all(line.startswith("make ") for line in body.splitlines()):
        targets = [word for line in body.splitlines() for word in line.partition("#")[0].split()[1:]]
        subprocess.run(["make", "-C", str(repository), "-n", *targets], check=True, stdout=subprocess.DEVNULL)
    elif kind == "sh":
        subprocess.run(["bash", "-euo", "pipefail", "-c", body], check=True)
    elif kind in ("yaml", "toml") and name:
        Path(name).write_text(body, encoding="utf-8")
    elif kind == "yaml":
        import datafluid

        errors = [finding for finding in datafluid.lint(body) if finding.severity == "error"]
        if errors:
            sys.exit(f"{place}: {errors}")
    elif kind != "text":
        sys.exit(f"{place}: a block must say python, sh, yaml, toml or text, not {kind!r}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
