"""What a diagnosis says, as text, HTML and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from datafluid.diagnosis.cause import Cause
from datafluid.diagnosis.picture import Picture

__all__ = ["Diagnosis", "printable"]

_STYLE = "border-left:3px solid #c33;padding:.2em .8em;margin:.5em 0;font-family:sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why a dataset is not what it should be. Shows itself as text, in a notebook as HTML.

    Args:
        causes: What is wrong, likeliest first; empty when nothing is.
        picture: What was seen.
    """

    causes: tuple[Cause, ...] = ()
    picture: Picture = field(repr=False)

    @property
    def healthy(self) -> bool:
        """Whether nothing wrong was found, as far as anything could be seen."""
        return not self.causes

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def text(self) -> str:
        """All of it as plain text; control characters of others are shown, not obeyed.

        Example:
            >>> from datafluid.model.ref import Ref
            >>> cause = Cause(code="no-runtime", summary="No runtime.", evidence=("phase NotBound",), command="true")
            >>> picture = Picture(ref=Ref("Dataset", "a", "team"), namespace="team", now=0.0)
            >>> print(Diagnosis(picture=picture, causes=(cause,)).text())
            Dataset team/a: not there
            <BLANKLINE>
            1. No runtime. [no-runtime]
               seen  phase NotBound
               next  true
        """
        lines = [self._title()]
        if not self.causes:
            lines += ["", "Nothing wrong was found."]
        for number, cause in enumerate(self.causes, 1):
            guess = "" if cause.certain else "Perhaps: "
            lines += ["", f"{number}. {guess}{cause.summary} [{cause.code}]"]
            lines += [f"   seen  {each}" for each in cause.evidence]
            lines += [f"   next  {cause.command}"] if cause.command else []
        if self.picture.unknown:
            lines += ["", "Unknown, because it may not be looked at:"]
            lines += [f"   {what}: {why}" for what, why in sorted(self.picture.unknown.items())]
        return "\n".join(printable(line) for line in lines)

    def html(self) -> str:
        """All of it as one HTML element: no scripts, no addresses; what came from outside is escaped."""
        body = "".join(_block(cause) for cause in self.causes) or "<p>Nothing wrong was found.</p>"
        hidden = sorted(self.picture.unknown.items())
        unknown = "".join(f"<li>{escape(what)}: {escape(why)}</li>" for what, why in hidden)
        rest = f"<p>Unknown, because it may not be looked at:</p><ul>{unknown}</ul>" if unknown else ""
        head = f"<b>{escape(self._title())}</b>"
        return f'<div class="fluid-diagnosis" style="font-family:sans-serif">{head}{body}{rest}</div>'

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {
            "dataset": {"name": self.picture.ref.name, "namespace": self.picture.ref.namespace},
            "phase": self.picture.phase,
            "healthy": self.healthy,
            "causes": [asdict(cause) for cause in self.causes],
            "unknown": dict(self.picture.unknown),
        }

    def archive(self) -> bytes:
        """What was seen and what was made of it as a gzipped tar file, secrets masked; see `bundle`."""
        from datafluid.diagnosis.archive import bundle

        return bundle(self)

    def _title(self) -> str:
        phase = "not there" if self.picture.dataset is None else self.picture.phase or "no phase yet"
        return f"{self.picture.ref}: {phase}{', being deleted' if self.picture.leaving else ''}"


def _block(cause: Cause) -> str:
    guess = "" if cause.certain else "Perhaps: "
    seen = "".join(f"<li>{escape(each)}</li>" for each in cause.evidence)
    command = f"<pre>{escape(cause.command)}</pre>" if cause.command else ""
    head = f"<b>{escape(guess + cause.summary)}</b> <code>{escape(cause.code)}</code>"
    return f'<div style="{_STYLE}">{head}<ul>{seen}</ul>{command}</div>'


def printable(line: str) -> str:
    """A line of others, with its control characters shown and not obeyed."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in line)
