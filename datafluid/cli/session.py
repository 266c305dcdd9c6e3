"""What every command shares: the context, the namespace, and one way to register it."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from datafluid.cli import completion
from datafluid.cli.aiming import aim
from datafluid.cli.errors import guarded
from datafluid.cli.escape import safe
from datafluid.errors import Invalid, NotFound
from datafluid.model.kinds import find_kind
from datafluid.model.names import check_namespace
from datafluid.model.uri import FluidURI

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.handles import DatasetHandle
    from datafluid.model.ref import Ref
    from datafluid.plane.port import ControlPlane

__all__ = ["Command", "Session", "command", "slashed"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAME",
        help="Namespace; the context's own by default.",
        autocompletion=completion.namespaces,
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="NAME",
        help="Context: the plane to talk to.",
        autocompletion=completion.contexts,
    ),
]
VerboseOption = Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more; twice for all.")]


@dataclass(kw_only=True)
class Session:
    """Where a command works.

    Args:
        context: ``--context``, or None for what the environment and the configuration say.
        namespace: ``--namespace``, or None for the context's own.
        verbosity: How often ``-v`` was given.
    """

    context: str | None = None
    namespace: str | None = None
    verbosity: int = 0

    @cached_property
    def client(self) -> Client:
        """The facade, connected at first use: `--help` and `lint` need none."""
        import datafluid

        client = datafluid.connect(self.context)
        if self.namespace is None:
            return client
        return datafluid.Client(client.plane, replace(client.context, namespace=self.namespace))

    def aimed(self, text: str) -> str:
        """A text whose commands work in this context when they are pasted."""
        return aim(self.context)(text)

    def place(self, text: str) -> FluidURI:
        """A place in a dataset from ``fluid://ns/dataset/path``, ``ns/dataset/path`` or ``dataset``.

        Raises:
            Invalid: it is no place at all.
        """
        plain = text.strip("/")
        uri = FluidURI.parse(text) if "/" in plain or "://" in text else FluidURI("", plain)
        return uri.in_namespace(self.client.context.namespace)

    def inside(self, text: str) -> FluidURI:
        """A dataset, or a place in one.

        Raises:
            Invalid: it names no dataset.
        """
        uri = self.place(text)
        if not uri.dataset:
            raise Invalid(f"{text[:200]!r} names no dataset.", hint="Write NAMESPACE/DATASET.")
        return uri

    @contextmanager
    def reading(self, text: str) -> Iterator[str]:
        """The URL of a place, to read from; what is not there may be meant to be in the context's namespace.

        Raises:
            NotFound: it is not there; the hint says what may be meant.
        """
        uri = self.place(text)
        try:
            yield str(uri)
        except NotFound as error:
            meant = self._meant(uri)
            if meant is None:
                raise
            raise NotFound(error.message, hint=f"Did you mean {meant}?") from error

    def _meant(self, uri: FluidURI) -> str | None:
        """Where a place is when its namespace is the name of a dataset here."""
        from datafluid.model.ref import Ref

        home = self.client.context.namespace
        if _is_there(self.client.plane, Ref("Dataset", uri.dataset, uri.namespace)):
            return None
        found = _is_there(self.client.plane, Ref("Dataset", uri.namespace, home))
        return "/".join(part for part in (home, uri.namespace, uri.dataset, uri.path) if part) if found else None

    def dataset(self, text: str) -> DatasetHandle:
        """The handle of the dataset that ``text`` names.

        Raises:
            Invalid: it names something else: a path inside a dataset, or a namespace.
        """
        uri = self.place(text)
        if uri.path or not uri.dataset:
            raise Invalid(f"{text[:200]!r} is not a dataset.", hint="Write NAMESPACE/DATASET.")
        return self.client.dataset(uri.dataset, namespace=uri.namespace)

    def ref(self, *words: str, example: str) -> Ref:
        """The object that the words of a command name: ``KIND NAME``, ``KIND/NAME``, ``NS/DATASET`` or ``DATASET``.

        A namespace that is called like a kind must be given with ``--namespace``.

        Args:
            example: What a right command looks like, for the hint.

        Raises:
            Invalid: they name nothing, or more than one object.
        """
        if len(words) == 1:
            first, slash, rest = words[0].partition("/")
            if not slash or not _is_kind(first):
                return self.dataset(words[0]).ref
            words = (first, rest)
        if len(words) != 2 or not all(words):
            raise Invalid("that names no object, or more than one.", hint=f"Write `{example}`.")
        return self.client.ref(*words)


def slashed(kind: str | None, names: list[str] | None) -> tuple[str | None, list[str]]:
    """``KIND/NAME`` in the place of a kind is ``KIND NAME``.

    Example:
        >>> slashed("dataset/a", None), slashed("dataset", ["a", "b"])
        (('dataset', ['a']), ('dataset', ['a', 'b']))
    """
    if kind and "/" in kind and not names:
        kind, _, name = kind.partition("/")
        return kind, [name]
    return kind, names or []


def _is_there(plane: ControlPlane, ref: Ref) -> bool:
    from datafluid.plane.finding import find

    return bool(ref.name) and find(plane, ref) is not None


def _is_kind(word: str) -> bool:
    try:
        find_kind(word)
    except Invalid:
        return False
    return True


class Command(TyperCommand):
    """A command whose errors become one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run it inside the boundary."""
        outer: Session = ctx.find_root().obj or Session()
        return guarded(lambda: super(Command, self).invoke(ctx), aim(ctx.params.get("context") or outer.context))


def command(app: typer.Typer, name: str | None = None, **settings: Any) -> Callable[[_Function], _Function]:
    """Register a function as a command.

    The function takes ``session`` first, then what typer makes of its signature. ``--namespace``, ``--context``
    and ``-v`` are added to every command; given before the command's name they count as well.
    """

    def register(function: _Function) -> _Function:
        app.command(name, cls=Command, **settings)(_with_session(function))
        return function

    return register


def _with_session(function: Callable[..., Any]) -> Callable[..., Any]:
    def entry(ctx: typer.Context, namespace: str | None, context: str | None, verbose: int, **values: Any) -> None:
        outer: Session = ctx.find_root().obj or Session()
        session = Session(
            context=context or outer.context,
            namespace=namespace if namespace is not None else outer.namespace,
            verbosity=verbose + outer.verbosity,
        )
        if session.namespace is not None:
            check_namespace(session.namespace)
        _log(session)
        function(session, **values)

    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = {
        "namespace": (NamespaceOption, None),
        "context": (ContextOption, None),
        "verbose": (VerboseOption, 0),
    }
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *(
            inspect.Parameter(name, keyword, default=default, annotation=annotation)
            for name, (annotation, default) in shared.items()
        ),
    ]
    entry.__name__, entry.__doc__ = function.__name__, function.__doc__
    entry.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(entry)["__signature__"] = inspect.Signature(parameters)
    return entry


class _SafeFormatter(logging.Formatter):
    """Log lines that cannot steer a terminal, with commands that fit the session."""

    def __init__(self, session: Session) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._session = session

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(safe(self._session.aimed(line)) for line in super().format(record).splitlines())


def _log(session: Session) -> None:
    """Send the package's log to stderr: warnings, with -v what it does, with -vv everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SafeFormatter(session))
    logger = logging.getLogger("datafluid")
    logger.handlers[:] = [handler]
    logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(session.verbosity, 2)])
