"""``datafluid submit``: a workload and its datasets, together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli.output import echo, warn
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid, Unschedulable

if TYPE_CHECKING:
    from datafluid.submission.client import Submitted
    from datafluid.submission.steps import Step

__all__ = ["register"]

_MOST_NODES = 5


def register(app: typer.Typer) -> None:
    """Add the command of this module."""

    @command(app)
    def submit(
        session: Session,
        files: Annotated[
            list[str] | None,
            typer.Option("-f", "--filename", metavar="FILE", help="The workload, and its datasets; - is stdin."),
        ] = None,
        datasets: Annotated[
            list[str] | None, typer.Option("--dataset", metavar="NS/DATASET", help="A dataset that is there.")
        ] = None,
        uses: Annotated[
            list[str] | None,
            typer.Option("--use", metavar="NS/DATASET[:PATH][,…]", help="Wrap the workload for it, as `wrap` does."),
        ] = None,
        load: Annotated[
            str | None, typer.Option("--load", metavar="all|FRACTION", help="Warm the datasets first, so far.")
        ] = None,
        watch: Annotated[bool, typer.Option("--watch", help="Say what it waits for.")] = False,
        detach: Annotated[bool, typer.Option("--detach", help="Leave while the workload is held.")] = False,
        resume: Annotated[
            str | None, typer.Option("--resume", metavar="GROUP/VERSION/KIND/NAME", help="Go on with a held workload.")
        ] = None,
        timeout: Annotated[
            float | None, typer.Option("--timeout", min=0.0, help="Seconds to wait; else for ever.")
        ] = None,
    ) -> None:
        """Submit a workload with its datasets: plan, apply, hold, and let it go when its data is where it is wanted.

        Everything is linted first, as `apply` does it. Interrupted at any point, the same command goes on from there.
        Exit code 4 when the time is up.
        """
        if (resume is None) == (not files):
            raise Invalid("give files, or a workload to resume.", hint="Write -f FILE, or --resume batch/v1/Job/NAME.")
        talk = _Talk(watch=watch)
        try:
            if resume is not None:
                done = session.client.resume(resume, timeout=timeout, tell=talk.step)
            else:
                done = session.client.submit(
                    [_source(name) for name in files or ()],
                    datasets or (),
                    uses=uses or (),
                    load=_share(load),
                    detach=detach,
                    timeout=timeout,
                    begin=talk.begin,
                    tell=talk.step,
                )
        except Unschedulable as error:
            for reason, nodes in error.reasons.items():
                echo(f"{nodes} nodes: {reason}", file=sys.stderr)
            raise
        except KeyboardInterrupt:
            _interrupted(session, talk)
            raise
        _finish(done)


class _Talk:
    """What is told while it goes on, on standard error; and what it is about, for whoever interrupts."""

    def __init__(self, *, watch: bool) -> None:
        self._watch = watch
        self.submitted: Submitted | None = None
        self.held = False

    def begin(self, submitted: Submitted) -> None:
        """What lint warns of, and the plan."""
        self.submitted = submitted
        warn(submitted.findings)
        nodes = submitted.plan.nodes
        if nodes:
            more = f" and {len(nodes) - _MOST_NODES} more" if len(nodes) > _MOST_NODES else ""
            echo(f"Fits on {len(nodes)} nodes: {', '.join(nodes[:_MOST_NODES])}{more}.", file=sys.stderr)
        for note in submitted.notes:
            echo(note, file=sys.stderr)

    def step(self, step: Step) -> None:
        """What is done next."""
        from datafluid.submission.steps import Apply, Create, Patch, Wait

        if isinstance(step, Apply):
            for manifest in step.manifests:
                echo(f"apply {manifest['kind']} {manifest['metadata']['name']}", file=sys.stderr)
        elif isinstance(step, Create):
            self.held = step.held
            what = "change" if step.change else "create, held," if step.held else "create"
            echo(f"{what} {step.manifest['kind']} {step.manifest['metadata']['name']}", file=sys.stderr)
        elif isinstance(step, Patch):
            self.held = False
            echo("release", file=sys.stderr)
        elif isinstance(step, Wait):
            self.held = step.held
            if self._watch:
                echo(f"waiting: {'; '.join(step.reasons)}", file=sys.stderr)


def _finish(done: Submitted) -> None:
    what = str(done.ref or "datasets")
    if done.runs:
        echo(f"{what} submitted")
    else:
        echo(f"{what} held")
        echo(f"Go on with `{done.resume_command}`.", file=sys.stderr)


def _interrupted(session: Session, talk: _Talk) -> None:
    """Ask on a terminal; elsewhere keep the hold and say how to go on."""
    submitted = talk.submitted
    if submitted is None or submitted.ref is None or not talk.held:
        echo("Interrupted; the same command goes on from here.", file=sys.stderr)
        return
    answer = "keep"
    if _on_terminal():
        question = f"{submitted.ref} is held. Keep it held, run it now, or delete it? [keep/run/delete]"
        answer = typer.prompt(question, default="keep", err=True)
    if answer == "run":
        session.client.resume(submitted.ref, now=True)
        echo(f"{submitted.ref} runs", file=sys.stderr)
    elif answer == "delete":
        session.client.plane.delete(submitted.ref)
        echo(f"{submitted.ref} deleted; its datasets stay", file=sys.stderr)
    else:
        echo(f"{submitted.ref} stays held. Go on with `{submitted.resume_command}`.", file=sys.stderr)


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _source(name: str) -> str | Path:
    return sys.stdin.read() if name == "-" else Path(name)


def _share(text: str | None) -> bool | float | None:
    if text is None:
        return None
    if text == "all":
        return True
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"--load takes all or a fraction, not {text[:50]!r}.", hint="Write --load 0.5.") from None
