"""``datafluid preview``: what Fluid's webhook would do to the pods of a workload."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datafluid.cli.errors import ExitCode
from datafluid.cli.lint import objects_of, read_source
from datafluid.cli.output import as_json, as_manifests, echo, paint_diff
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.plane.webhook_facts import WebhookFacts
    from datafluid.workload import Preview

__all__ = ["register"]

_Pod = dict[str, Any]


class _Format(StrEnum):
    yaml = "yaml"
    json = "json"
    diff = "diff"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""

    @command(app)
    def preview(
        session: Session,
        file: Annotated[str, typer.Argument(metavar="FILE", help="Pods and workloads; - is standard input.")],
        objects: Annotated[
            list[str] | None,
            typer.Option("-f", "--with", metavar="FILE", help="Manifests around them; no cluster is asked then."),
        ] = None,
        profile: Annotated[
            str | None, typer.Option("--profile", metavar="FILE", help="The webhook's plugins profile.")
        ] = None,
        env: Annotated[
            list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="The webhook's environment.")
        ] = None,
        output: Annotated[_Format, typer.Option("-o", "--output", help="Format.")] = _Format.yaml,
        diff: Annotated[bool, typer.Option("--diff", help="Print what changes; as -o diff.")] = False,
    ) -> None:
        """Show what Fluid's webhook would do to pods: the pods, its denials, and the errors that it only logs.

        What it looks at comes from the files, or from the cluster of the context. Nothing is created or changed.
        Exit code 0: every pod is admitted, 1: one is denied, or an error is swallowed.
        """
        documents = objects_of(read_source(file), file)
        home = session.namespace or ("default" if objects is not None else session.client.context.namespace)
        pods = [(title, pod, _namespace(pod, home)) for each in documents for title, pod in _pods(each)]
        if not pods:
            raise Invalid("there is no pod in it.", hint="Give a Pod, or an object that makes pods.")
        around = _around(session, objects, {namespace for _, _, namespace in pods}, documents)
        settings: dict[str, Any] = {
            "objects": around.objects,
            "profile": _profile(profile) if profile else around.profile,
            "env": _environment(env) if env else around.env,
        }
        answers = [(title, pod, _answer(pod, namespace, settings)) for title, pod, namespace in pods]
        for sentence in around.assumed:
            echo(sentence, file=sys.stderr)
        _print(answers, _Format.diff if diff else output)
        if any(not answer.allowed or answer.ignored for _, _, answer in answers):
            raise typer.Exit(ExitCode.FAILURE)


def _pods(manifest: Mapping[str, Any]) -> Iterator[tuple[str, _Pod]]:
    """The pods that an object makes, as its controller would send them, and what to call them."""
    from datafluid.model.plain import as_map
    from datafluid.workload.places import pod_places

    metadata = as_map(manifest.get("metadata"))
    title = f"{manifest.get('kind', 'values')} {metadata.get('name', '')}".strip()
    if manifest.get("kind") == "Pod":
        yield title, dict(manifest)
        return
    for place in pod_places(manifest):
        described = place.pod(manifest)
        own = {"generateName": f"{metadata.get('name', place.role)}-", **described["metadata"]}
        if "namespace" in metadata:
            own["namespace"] = metadata["namespace"]
        yield f"{title}, {place.role}", {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": described["spec"]}


def _namespace(pod: _Pod, home: str) -> str:
    return str((pod.get("metadata") or {}).get("namespace") or home)


def _answer(pod: _Pod, namespace: str, settings: Mapping[str, Any]) -> Preview:
    """What becomes of a pod: that of one that the webhook does not see is the pod itself."""
    from datafluid.workload import Preview, preview_webhook

    answer = preview_webhook(pod, namespace=namespace, **settings)
    return answer if answer.seen else Preview(allowed=True, pod=pod, seen=False)


def _around(
    session: Session, files: list[str] | None, namespaces: set[str], documents: list[Mapping[str, Any]]
) -> WebhookFacts:
    from datafluid.plane.webhook_facts import WebhookFacts, read_webhook_facts

    if files is None:
        return read_webhook_facts(session.client.plane, namespaces)
    given = (each for name in files for each in objects_of(read_source(name), name))
    return WebhookFacts(objects=(*given, *documents))


def _profile(name: str) -> Mapping[str, Any]:
    """A profile by itself, or the ConfigMap that holds it."""
    from datafluid.model.plain import as_map, as_text, look

    (document, *_) = objects_of(read_source(name), name) or [{}]
    text = as_text(look(document, ("data", "pluginsProfile")))
    return as_map(objects_of(text, name)[0]) if text.strip() else document


def _environment(settings: Iterable[str]) -> dict[str, str]:
    pairs = [setting.partition("=") for setting in settings]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise Invalid(f"{name[:80]!r} is no setting of an environment.", hint="Write NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _print(answers: list[tuple[str, _Pod, Preview]], output: _Format) -> None:
    for title, pod, answer in answers:
        for line in _told(pod, answer):
            echo(f"{title}: {line}", file=sys.stderr)
    if output is _Format.json:
        as_json([_row(title, answer) for title, _, answer in answers])
    elif output is _Format.diff:
        for title, pod, answer in answers:
            if answer.pod is not None:
                paint_diff(_difference(title, pod, answer.pod))
    else:
        as_manifests([answer.pod for _, _, answer in answers if answer.pod is not None])


def _told(pod: _Pod, answer: Preview) -> Iterator[str]:
    if not answer.seen:
        yield 'no webhook of Fluid sees it: it has no label fuse.serverful.fluid.io/inject: "true".'
    elif not answer.allowed:
        yield f"denied: {answer.message}"
    elif answer.ignored:
        how_far = "unchanged" if answer.pod == pod else "half changed"
        yield f"admitted {how_far}, because of an error that Fluid only logs: {answer.ignored}"
    elif answer.message:
        yield f"admitted unchanged: {answer.message}"
    else:
        yield "admitted unchanged." if answer.pod == pod else "admitted."
    if answer.config_maps:
        yield f"the webhook makes the ConfigMaps {', '.join('/'.join(each) for each in answer.config_maps)}."


def _row(title: str, answer: Preview) -> dict[str, Any]:
    return {
        "workload": title,
        "allowed": answer.allowed,
        "message": answer.message,
        "ignored": answer.ignored,
        "seen": answer.seen,
        "pod": answer.pod,
    }


def _difference(title: str, before: _Pod, after: _Pod) -> Iterator[str]:
    from datafluid.model.manifest import dump

    old, new = (dump([each]).splitlines() for each in (before, after))
    yield from difflib.unified_diff(old, new, fromfile=title, tofile=f"{title}, from the webhook", lineterm="")
