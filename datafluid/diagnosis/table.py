"""All rules, in one table: the order in which things have to be right, which is the order of likelihood."""

from __future__ import annotations

from types import ModuleType

from datafluid.diagnosis import binding, leaving, local, operating, running, schedules, scheduling, setting_up, using
from datafluid.diagnosis.cause import Cause, Rule
from datafluid.diagnosis.picture import Picture
from datafluid.diagnosis.verdict import Diagnosis

__all__ = ["CAUSES", "diagnose"]

_MODULES: tuple[ModuleType, ...] = (
    leaving,
    binding,
    setting_up,
    scheduling,
    running,
    operating,
    schedules,
    using,
    local,
)
#: Rules that are only right when no other one finds anything certain.
_LAST_RESORT = {"newest-warning", "still-starting", "deleting"}

#: Every rule, in order.
CAUSES: tuple[Rule, ...] = tuple(
    value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)
)


def diagnose(picture: Picture) -> Diagnosis:
    """Why a dataset is not what it should be. Pure: the same picture gives the same answer.

    Args:
        picture: What was seen; see `collect`.

    Returns:
        The causes, likeliest first: what is certain before what is guessed, what comes earlier in a dataset's life
        before what follows from it.

    Example:
        >>> from datafluid.model.ref import Ref
        >>> picture = Picture(ref=Ref("Dataset", "flights", "team"), namespace="team", now=0.0)
        >>> diagnose(picture).causes[0].code
        'no-dataset'
    """
    found = [cause for rule in CAUSES for cause in rule(picture)]
    if any(cause.certain for cause in found):
        found = [cause for cause in found if cause.code not in _LAST_RESORT]
    return Diagnosis(picture=picture, causes=tuple(sorted(found, key=_unsure)))


def _unsure(cause: Cause) -> bool:
    return not cause.certain
