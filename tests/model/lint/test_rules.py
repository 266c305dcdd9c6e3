"""Every rule fires where it should, at the right place, and nowhere near it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from datafluid.model.kinds import KINDS
from datafluid.model.lint import RULES, Finding, Surroundings, lint

from . import cases_around, cases_dataset, cases_lifecycle, cases_operation, cases_runtime, cases_workload
from .case import LOOKED_AT, Case, text_of, unrelated

CASES = [
    *cases_dataset.CASES,
    *cases_runtime.CASES,
    *cases_lifecycle.CASES,
    *cases_operation.CASES,
    *cases_workload.CASES,
    *cases_around.CASES,
]
FIRST = text_of([unrelated()]) + "---\n"


def findings(text: str, case: Case) -> list[Finding]:
    found = lint(text, plane=case.plane, surroundings=case.bad_surroundings)
    return [each for each in found if each.code == case.code]


def _last(path: str) -> str:
    """The last step of a path, as it stands in the text."""
    quoted = re.search(r"\['([^']*)'\]$", path)
    return quoted[1] if quoted else "" if path.endswith("]") else path.rpartition(".")[2]


every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)


@every_case
def test_fires(case: Case) -> None:
    """The rule finds its mistake at the right path of the right object."""
    found = findings(case.bad_text, case)
    assert (case.path, case.document) in [(finding.path, finding.document) for finding in found]


@every_case
def test_spares_the_near_miss(case: Case) -> None:
    """What looks much the same and is right is left in peace."""
    found = lint(case.good_text, plane=case.plane, surroundings=case.good_surroundings)
    assert [each for each in found if each.code == case.code] == []


@every_case
def test_finds_the_place_in_a_later_document(case: Case) -> None:
    """With another object before it, the same path is told with the next document and the line it is on."""
    text = FIRST + case.bad_text
    found = [finding for finding in findings(text, case) if finding.path == case.path]
    if case.code == "DF001":
        assert found
        return
    assert [finding.document for finding in found] == [case.document + 1]
    line = found[0].line
    assert line is not None
    where = text.splitlines()[line - 1]
    assert _last(case.path) in where


@every_case
def test_says_what_to_do(case: Case) -> None:
    """Every message is a sentence, every finding has a hint that is one too."""
    for finding in findings(case.bad_text, case):
        assert finding.message.endswith(".")
        assert re.search(r"[.?;]$", finding.hint)


def test_every_rule_has_a_case() -> None:
    """A rule without a mistake, a near miss and a later document is not finished."""
    assert Counter(case.code for case in CASES) == Counter(rule.code for rule in RULES)


def test_codes_are_of_the_right_family() -> None:
    """DF0 documents, DF1 datasets, DF2 runtimes, DF3 operations, DF4 workloads, DF5 clusters."""
    families = {"1": {"Dataset"}, "3": {"DataLoad", "DataMigrate", "DataProcess", "DataBackup"}}
    for rule in RULES:
        assert re.fullmatch(r"DF[0-5]\d\d", rule.code)
        assert rule.source
        assert not rule.title.endswith(".")
        if rule.code[2] == "3":
            assert set(rule.kinds) <= families["3"]


@pytest.mark.parametrize("case", cases_around.CASES, ids=lambda case: case.code)
def test_what_is_not_known_is_not_told(case: Case) -> None:
    """Without a cluster, and with one of which nothing may be read, rules about it say nothing."""
    blind = Surroundings(unknown=dict.fromkeys([*KINDS, *LOOKED_AT], "forbidden"))
    for around in (None, blind, Surroundings()):
        assert case.code not in {each.code for each in lint(case.bad_text, plane="kubernetes", surroundings=around)}
