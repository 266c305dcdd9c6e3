"""What a diagnosis says: causes, likeliest first, each with what was seen and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datafluid.diagnosis.picture import Picture
from datafluid.model.lint.subject import Subject

__all__ = ["Cause", "Found", "Rule", "command", "quoted", "rule"]

_MOST = 5  # pieces of evidence for one cause
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that keeps a dataset from being usable.

    Args:
        code: Stable, for example ``no-runtime``.
        summary: What is wrong, one sentence.
        evidence: What was seen, one line each.
        command: What to run next.
        certain: Whether what was seen proves it; else it is a guess.
    """

    code: str
    summary: str
    evidence: tuple[str, ...] = ()
    command: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found; the table adds the code.

    Args:
        summary: What is wrong, one sentence.
        evidence: What was seen.
        command: What to run next.
        certain: Whether it is proved.
    """

    summary: str
    evidence: list[str]
    command: str
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a diagnosis knows to look for.

    Args:
        code: Stable; never used for something else.
        title: What it finds, as a noun phrase.
        find: The pure function that looks.
    """

    code: str
    title: str
    find: Callable[[Picture], Iterator[Found]]

    def __call__(self, picture: Picture) -> Iterator[Cause]:
        """The causes that this rule sees in a picture."""
        for found in self.find(picture):
            seen = tuple(dict.fromkeys(line[:_LONGEST] for line in found.evidence if line))
            yield Cause(
                code=self.code,
                summary=found.summary,
                evidence=seen if len(seen) <= _MOST else (*seen[:_MOST], f"… and {len(seen) - _MOST} more"),
                command=found.command if picture.cluster else _on_this_machine(found.command),
                certain=found.certain,
            )


def rule(code: str, title: str) -> Callable[[Callable[[Picture], Iterator[Found]]], Rule]:
    """Turn a function into a rule."""

    def make(find: Callable[[Picture], Iterator[Found]]) -> Rule:
        return Rule(code=code, title=title, find=find)

    return make


def command(verb: str, subject: Subject, *more: str) -> str:
    """A kubectl command about an object, fit to be pasted.

    Example:
        >>> pod = Subject(data={"kind": "Pod", "metadata": {"name": "a b", "namespace": "team"}})
        >>> command("describe", pod)
        "kubectl describe pod 'a b' -n team"
    """
    words = [
        "kubectl",
        verb,
        subject.kind.lower(),
        subject.name,
        *(["-n", subject.namespace] if subject.namespace else []),
    ]
    return shlex.join([*words, *more])


def _on_this_machine(line: str) -> str:
    """The same without a cluster: `datafluid` knows kubectl's verbs but `edit`.

    Example:
        >>> _on_this_machine("kubectl edit dataload warm -n team"), _on_this_machine("datafluid doctor")
        ('datafluid get dataload warm -n team -o yaml', 'datafluid doctor')
    """
    tool, _, rest = line.partition(" ")
    if tool != "kubectl":
        return line
    verb, _, what = rest.partition(" ")
    return f"datafluid get {what} -o yaml" if verb == "edit" else f"datafluid {rest}"


def quoted(*words: str) -> str:
    """Words as a shell command."""
    return shlex.join(words)
