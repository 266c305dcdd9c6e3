"""Conformance: each recorded call, and each variant of it, is answered as Fluid answered."""

from __future__ import annotations

import copy

import pytest

from tests.shared import needs_recordings
from tests.workload.webhook.variants import VARIANTS
from tests.workload.webhook.vectors import Vector, recorded

RECORDED = recorded()
pytestmark = needs_recordings


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_call_is_answered_as_fluid_did(name: str) -> None:
    """Outcome, message, swallowed error, ConfigMaps, and the whole pod, sidecars included."""
    RECORDED[name].check()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_answered_by_the_same_rules(variant: str) -> None:
    """No answer hangs on a name, an order, or on what else is there."""
    for vector in RECORDED.values():
        VARIANTS[variant](vector).check()


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_are_not_the_recordings(variant: str) -> None:
    """The variants differ from what was recorded, nearly all of them: the test before tests something."""
    changed = [name for name, vector in RECORDED.items() if VARIANTS[variant](vector) != vector]
    assert len(changed) > 0.6 * len(RECORDED)


def test_nothing_that_is_given_is_changed() -> None:
    """The pod and the objects around it are as they were, whatever the plugins did."""
    for vector in RECORDED.values():
        before = copy.deepcopy(vector)
        vector.answer()
        assert vector == before


def test_all_recordings_are_there() -> None:
    """As many as the recordings' own README says, of every category."""
    assert len(RECORDED) == 198
    assert len({name.rpartition("-")[0] for name in RECORDED}) == 27


def test_the_check_can_fail() -> None:
    """An answer that differs in one letter is found."""
    vector = RECORDED["serverful-basic-02"]
    wrong = copy.deepcopy(vector.output)
    wrong["pod"]["metadata"]["annotations"]["fluid.io/datasets-in-use"] = "another"
    with pytest.raises(AssertionError):
        Vector(input=vector.input, output=wrong).check()
