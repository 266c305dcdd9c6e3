"""What a cluster holds around the objects of a source: a frozen picture, taken once, for rules to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from datafluid.model.lint.subject import Subject

__all__ = ["Surroundings"]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What there is, as far as it may be read. Nobody is asked anything by it.

    Args:
        objects: What there is, by kind (``Dataset``, ``v1/Node``, ...). A kind that was looked at and has none is there
            with an empty tuple; one that was not looked at is not there.
        namespace: Where objects go that name none; empty when that is open.
        served: The kinds that the plane has; empty when they are not known.
        secrets: ``namespace/name`` of the Secrets there are; None when they are not known. Nobody reads their values.
        free: Node -> resource -> what no pod has asked for yet, processors in thousandths; None when it is not known.
        unknown: Kind or object -> why it could not be looked at.

    Example:
        >>> around = Surroundings(objects={"v1/Node": (Subject(data={"metadata": {"name": "n0"}}),)})
        >>> [node.name for node in around.of("v1/Node")], around.knows("v1/Pod")
        (['n0'], False)
    """

    objects: Mapping[str, tuple[Subject, ...]] = field(default_factory=dict)
    namespace: str = ""
    served: frozenset[str] = frozenset()
    secrets: frozenset[str] | None = None
    free: Mapping[str, Mapping[str, int]] | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)

    def of(self, *kinds: str, namespace: str | None = None) -> list[Subject]:
        """The objects of these kinds, kind by kind; of one namespace or of all."""
        found = (subject for kind in kinds for subject in self.objects.get(kind, ()))
        return [each for each in found if namespace in (None, each.namespace)]

    def one(self, kind: str, name: str, namespace: str | None = None) -> Subject | None:
        """The object of this name, if it was seen; of any namespace when none is given."""
        found = (each for each in self.of(kind, namespace=namespace) if each.name == name)
        return next(found, None)

    def knows(self, *kinds: str) -> bool:
        """Whether all objects of these kinds could be seen, so that one that was not seen is not there."""
        return all(kind in self.objects and kind not in self.unknown for kind in kinds)
