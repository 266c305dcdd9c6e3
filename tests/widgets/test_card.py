"""The dataset card: text and HTML from one snapshot, and in a real notebook kernel."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from fluid_widgets import card
from fluid_widgets.card import DatasetCard
from fluid_widgets.view import CardView
from nbclient import NotebookClient

import datafluid
from tests.datasets import apply_local_dataset


def test_unknown_is_shown_as_unknown_not_zero() -> None:
    """A dataset whose figures are not known yet shows no 0 %."""
    drawn = DatasetCard(CardView(title="a/b", phase="NotBound", fraction=None, rows=(("Size", "unknown"),)))
    assert "0.0%" not in drawn.text() + drawn.html()
    assert "not known yet" in drawn.text()
    assert "value=" not in drawn.html()


def test_hostile_names_are_escaped() -> None:
    """Markup and terminal escapes from outside appear as text."""
    drawn = DatasetCard(CardView(title="<script>\x1b[31m", phase="Bound", fraction=1.0, rows=(("Files", "1"),)))
    assert "<script>" not in drawn.html()
    assert "\x1b" not in drawn.text()


def test_card_of_a_handle_says_what_is_cached(tmp_path: Path) -> None:
    """The card of a loaded dataset names its URL, size and that all of it is cached."""
    (tmp_path / "a.bin").write_bytes(b"x" * 2048)
    handle = apply_local_dataset(datafluid.connect(), tmp_path, "small")
    handle.load().wait(timeout=60)

    text = card(handle).text()

    assert "fluid://default/small" in text
    assert "2.00KiB (100.0%)" in text


@pytest.mark.slow
def test_card_in_a_notebook_has_text_and_html(tmp_path: Path) -> None:
    """A cell that ends with a card stores both forms in the notebook; the extension draws bare handles."""
    (tmp_path / "a.bin").write_bytes(b"x" * 2048)
    apply_local_dataset(datafluid.connect(), tmp_path, "small")
    cells = [
        "import datafluid, fluid_widgets\nds = datafluid.connect().dataset('small')\nfluid_widgets.card(ds)",
        "%load_ext fluid_widgets",
        "ds",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])

    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()

    for index in (0, 2):
        data = notebook.cells[index].outputs[0].data
        assert "fluid://default/small" in data["text/plain"]
        assert 'class="fluid-card"' in data["text/html"]
