"""What rules look at: one object of a source, and all of them together.

Nothing here trusts the shape of an object: lint must also speak about manifests that are wrong through and
through, so every access answers with something empty instead of failing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datafluid.model.lint.surroundings import Surroundings

from datafluid.model.plain import Path, as_list, as_map, as_text, dotted, look, show

__all__ = ["Path", "Plane", "Scope", "Subject", "as_list", "as_map", "as_text", "dotted", "show"]

Plane = Literal["kubernetes", "embedded"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """One object of a source.

    Args:
        data: The parsed object; anything at all may be in it.
        document: Which object of the source, from 0.
        line: Where it begins, from 1; None when it did not come from text.
        lines: The line of each path in the document, as far as known.
        prefix: Where in the document the object stands; not empty for an item of a ``List``.
        file: The file that it came from; empty when it did not come from one.
    """

    data: Mapping[str, Any]
    document: int = 0
    line: int | None = None
    lines: Mapping[Path, int] = field(default_factory=dict)
    prefix: Path = ()
    file: str = ""

    @property
    def kind(self) -> str:
        """``kind``, or the empty string."""
        return as_text(self.data.get("kind"))

    @property
    def name(self) -> str:
        """``metadata.name``, or the empty string."""
        return as_text(self.at("metadata", "name"))

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; the empty string when it is left to whoever applies the object."""
        return as_text(self.at("metadata", "namespace"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """``spec``, or an empty mapping."""
        return as_map(self.data.get("spec"))

    def at(self, *path: str | int) -> Any:
        """What stands at a path; None when nothing does."""
        return look(self.data, path)

    def maps(self, *path: str | int) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The mappings in the list at a path, each with its own path."""
        for index, item in enumerate(as_list(self.at(*path))):
            if isinstance(item, Mapping):
                yield (*path, index), item

    def line_of(self, path: Path) -> int | None:
        """The line of a path, or of the nearest thing around it."""
        whole = (*self.prefix, *path)
        for length in range(len(whole), 0, -1):
            if (line := self.lines.get(whole[:length])) is not None:
                return line
        return self.line


class Scope:
    """All objects of a source, so that rules can look from one to another.

    An object without a namespace may end up in any, so it matches every namespace.

    Args:
        subjects: The objects.
        plane: Where they are going; None when that is open.
        around: What a cluster holds around them; None when nobody looked.
    """

    def __init__(
        self, subjects: Iterable[Subject], plane: Plane | None = None, around: Surroundings | None = None
    ) -> None:
        self.subjects = tuple(subjects)
        self.plane = plane
        self.around = around
        #: What rules have worked out about a subject, by its id, for other rules of the same module.
        self.memo: dict[int, Any] = {}
        self._by_kind: dict[str, list[Subject]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], list[Subject]] = defaultdict(list)
        for subject in self.subjects:
            self._by_kind[subject.kind].append(subject)
            self._by_name[subject.kind, subject.name].append(subject)

    def home(self, subject: Subject) -> str:
        """The namespace that an object is in, or goes to; empty while that is open."""
        return subject.namespace or (self.around.namespace if self.around is not None else "")

    def of_kind(self, *kinds: str) -> list[Subject]:
        """The objects of these kinds, kind by kind."""
        return [subject for kind in kinds for subject in self._by_kind.get(kind, ())]

    def named(self, kinds: Iterable[str], namespace: str, name: str) -> list[Subject]:
        """The objects of these kinds with this name, in this namespace as far as anybody can tell."""
        found = (subject for kind in kinds for subject in self._by_name.get((kind, name), ()))
        return [subject for subject in found if may_be_same(subject.namespace, namespace)]

    def there(self, kinds: Collection[str], namespace: str, name: str) -> list[Subject]:
        """The objects of these kinds with this name: those of the source, else those that the cluster has."""
        found = self.named(kinds, namespace, name)
        if found or self.around is None:
            return found
        around = self.around.of(*kinds, namespace=namespace or None)
        return [each for each in around if each.name == name and each.kind in kinds]

    def dataset(self, namespace: str, name: str) -> Subject | None:
        """The dataset, if the source or the cluster has it."""
        return next(iter(self.there(["Dataset"], namespace, name)), None)


def may_be_same(one: str, other: str) -> bool:
    """Whether two namespaces can be the same, where the empty one is still open."""
    return not one or not other or one == other
