"""Fluid datasets in notebooks: a card that says what a dataset holds and how much of it is here.

import fluid_widgets
fluid_widgets.card(ds)            # text in a terminal, HTML in a notebook; needs nothing but Python

%load_ext fluid_widgets           # or: every dataset handle shows itself so
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fluid_widgets.card import DatasetCard, card

if TYPE_CHECKING:
    from datafluid.handles import DatasetHandle

__all__ = ["DatasetCard", "card", "load_ipython_extension"]


def load_ipython_extension(ipython: Any) -> None:
    """Let dataset handles show their card; what ``%load_ext fluid_widgets`` calls.

    Args:
        ipython: The running InteractiveShell.
    """
    formatters = ipython.display_formatter.formatters
    formatters["text/html"].for_type_by_name("datafluid.handles", "DatasetHandle", _html)
    formatters["text/plain"].for_type_by_name("datafluid.handles", "DatasetHandle", _text)


def _html(handle: DatasetHandle) -> str:
    return card(handle).html()


def _text(handle: DatasetHandle, printer: Any, cycle: bool) -> None:
    printer.text(card(handle).text())
