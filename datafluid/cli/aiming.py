"""Commands that we propose, aimed at the cluster that the user works with and not at whichever is the default."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.context import Context

__all__ = ["aim", "aimed"]

_COMMAND = re.compile(r"((?:^|`)(datafluid|kubectl)) (?=[a-z])(?![^`]* --context )")


def aimed(text: str, context: Context, *, named: bool) -> str:
    """A text with the context in each command that names none: at its beginning, and in backquotes.

    Args:
        text: A hint, or a command.
        context: Where the user works.
        named: Whether ``--context`` said so, and must again.

    Example:
        >>> from datafluid.context import Context
        >>> prod = Context(name="prod", plane="kubernetes", kube_context="prod-eu")
        >>> aimed("kubectl get pods -n team", prod, named=True)
        'kubectl --context prod-eu get pods -n team'
        >>> aimed("`datafluid contexts` tells more.", prod, named=True)
        '`datafluid --context prod contexts` tells more.'
        >>> aimed("`datafluid submit --resume job/a --context prod` goes on.", prod, named=True)
        '`datafluid submit --resume job/a --context prod` goes on.'
    """
    kube = {"--kubeconfig": context.kubeconfig, "--context": context.kube_context}
    options = {
        "datafluid": ["--context", context.name] if named else [],
        "kubectl": [word for option, value in kube.items() if value for word in (option, value)],
    }
    return _COMMAND.sub(lambda found: " ".join((found[1], *map(shlex.quote, options[found[2]]), "")), text)


def aim(name: str | None) -> Callable[[str], str]:
    """`aimed` for what ``--context`` says, None where it was not given; nothing is read before it is needed."""

    def at(text: str) -> str:
        from datafluid.context import resolve_context
        from datafluid.errors import DatafluidError

        if _COMMAND.search(text) is None:
            return text
        try:
            return aimed(text, resolve_context(name), named=name is not None)
        except DatafluidError:
            return text  # there is no such context, or no configuration that can be read

    return at
