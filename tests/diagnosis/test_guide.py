"""The guide shows what is really printed."""

from __future__ import annotations

from .guide import PAGE, shown_causes, written_anew

#: What issue and guide promise to have an output of.
PROMISED = {
    "no-runtime", "image-pull", "no-capacity", "quota-exceeded", "secret-missing", "mount-error", "second-runtime",
    "in-use", "leaked-finalizer", "waits-for", "helm-failure", "webhook-denied", "not-injected", "low-hits-placement",
    "evicted", "fuse-killed",
}  # fmt: skip


def test_the_outputs_in_the_guide_are_real() -> None:
    """Each is what `diagnose` prints now; ``python -m tests.diagnosis.guide`` writes them anew."""
    page = PAGE.read_text(encoding="utf-8")
    assert written_anew(page) == page


def test_the_guide_has_every_case() -> None:
    """None of those that were promised is missing."""
    assert shown_causes(PAGE.read_text(encoding="utf-8")) >= PROMISED
