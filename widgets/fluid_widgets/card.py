"""The dataset card: one frozen snapshot, drawn as text or as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fluid_widgets.view import CardView, view_of

if TYPE_CHECKING:
    from datafluid.handles import DatasetHandle
    from datafluid.model.status import DatasetStatus

__all__ = ["DatasetCard", "card"]

_BAR_WIDTH = 24
_STYLE = (
    "border:1px solid var(--jp-border-color2,#c8c8c8);border-radius:4px;padding:.6em .9em;display:inline-block;"
    "background:var(--jp-layout-color1,#fff);color:var(--jp-ui-font-color1,#212121);font-family:sans-serif"
)


def card(dataset: DatasetHandle | DatasetStatus) -> DatasetCard:
    """The card of a dataset as it is now.

    Args:
        dataset: A handle (its status is read once) or a status snapshot.

    Returns:
        An object that shows itself: text in a terminal, HTML in a notebook. It does not change afterwards.

    Raises:
        NotFound: the handle's dataset does not exist.
    """
    status = dataset.status if hasattr(dataset, "status") else dataset
    return DatasetCard(view_of(status))


class DatasetCard:
    """A card. Everything in it that came from outside is escaped.

    Example:
        >>> view = CardView(title="team/<b>", phase="Bound", fraction=0.5, rows=(("Files", "2"),))
        >>> print(DatasetCard(view).text())
        team/<b>  Bound
        [############------------]  50.0%
        Files  2
        >>> "<b>" in DatasetCard(view).html()
        False
    """

    def __init__(self, view: CardView) -> None:
        self.view = view

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def text(self) -> str:
        """The card as plain text; control characters are shown, not obeyed."""
        view = self.view
        width = max(len(label) for label, _ in view.rows)
        lines = [f"{view.title}  {view.phase}", _text_bar(view.fraction)]
        lines += [f"{label:<{width}}  {text}" for label, text in view.rows]
        lines += [view.note] if view.note else []
        return "\n".join(_printable(line) for line in lines)

    def html(self) -> str:
        """The card as one self-contained HTML element: no scripts, no addresses, fit for saved notebooks."""
        view = self.view
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;padding-right:1em">{escape(label)}</th>'
            f'<td style="text-align:left">{escape(text)}</td></tr>'
            for label, text in view.rows
        )
        note = f'<p style="margin:.4em 0 0">{escape(view.note)}</p>' if view.note else ""
        return (
            f'<div class="fluid-card" style="{_STYLE}"><strong>{escape(view.title)}</strong> '
            f"<span>{escape(view.phase)}</span><br>{_html_bar(view.fraction)}"
            f'<table style="margin:.4em 0 0">{rows}</table>{note}</div>'
        )


def _text_bar(fraction: float | None) -> str:
    if fraction is None:
        return f"[{'?' * _BAR_WIDTH}]  not known yet"
    filled = round(_BAR_WIDTH * min(max(fraction, 0.0), 1.0))
    return f"[{'#' * filled}{'-' * (_BAR_WIDTH - filled)}]  {fraction:.1%}"


def _html_bar(fraction: float | None) -> str:
    if fraction is None:
        return '<progress max="1" aria-label="cached: not known yet"></progress> not known yet'
    return f'<progress max="1" value="{fraction:.4f}" aria-label="cached"></progress> {fraction:.1%}'


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
