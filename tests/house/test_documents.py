"""README and docs: every code block runs, every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
_RUN = Path(__file__).with_name("run_document.py")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def run_document(document: Path, directory: Path, **environment: str) -> str:
    """Run the code blocks of a document in a directory; returns what they print."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, str(_RUN), str(document), str(REPOSITORY)],
        cwd=directory,
        env={**os.environ, "PATH": path, "PYTHONWARNINGS": "", **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_code_block_runs(document: Path, tmp_path: Path) -> None:
    """In order, in an empty directory, as somebody who types them would."""
    run_document(document, tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    """Links within the repository."""
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_was_typed_once_can_be_typed_again(document: Path) -> None:
    """A directory that is there already is no reason to stop."""
    assert not re.findall(r"^.*(?:\.mkdir\(\)|^mkdir (?!-p)).*$", document.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_lint_reference_is_the_rules_own() -> None:
    """The page is generated; a rule that changes changes it."""
    from datafluid.model.lint.reference import reference

    assert (REPOSITORY / "docs/reference/lint.md").read_text(encoding="utf-8").strip() == reference().strip()
