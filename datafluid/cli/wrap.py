"""``datafluid wrap``: a workload in, the workload with its datasets out."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datafluid.cli.lint import objects_of, read_source
from datafluid.cli.output import as_json, as_manifests, echo, paint_diff
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid, Unavailable
from datafluid.model.plain import as_text, dotted, look, undotted

if TYPE_CHECKING:
    from datafluid.model.plain import Path as JsonPath
    from datafluid.workload import DatasetUse, Topology, Wrapped
    from datafluid.workload.injection import Mode

__all__ = ["register"]

_Wraps = list[tuple[Mapping[str, Any], "Wrapped"]]


class _Format(StrEnum):
    yaml = "yaml"
    json = "json"
    kustomize = "kustomize"


class _Mode(StrEnum):
    csi = "csi"
    serverful = "serverful"
    serverless = "serverless"
    native_sidecar = "native-sidecar"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""

    @command(app)
    def wrap(
        session: Session,
        file: Annotated[str, typer.Argument(metavar="FILE", help="Workloads, or chart values; - is standard input.")],
        uses: Annotated[
            list[str] | None,
            typer.Option(
                "--use",
                metavar="NS/DATASET[:PATH][,KEY=VALUE...]",
                help="A dataset; keys: api=hcfs, via=, locality=require|off, sub_path=, read_only=, roles=, ...",
            ),
        ] = None,
        facts: Annotated[
            list[str] | None,
            typer.Option("--with", metavar="FILE", help="Manifests of datasets and runtimes; no plane is asked then."),
        ] = None,
        mode: Annotated[_Mode, typer.Option("--mode", help="How pods mount: csi needs no webhook.")] = _Mode.csi,
        templates: Annotated[
            list[str] | None,
            typer.Option("--template", metavar="PATH", help="Where an unknown kind has its pod template: spec.a.b[0]."),
        ] = None,
        output: Annotated[_Format, typer.Option("-o", "--output", help="Format.")] = _Format.yaml,
        explain: Annotated[bool, typer.Option("--explain", help="Tell on stderr what was done and why.")] = False,
        diff: Annotated[bool, typer.Option("--diff", help="Print what changes instead.")] = False,
        directory: Annotated[
            Path | None, typer.Option("--directory", metavar="DIR", help="Write the kustomization there.")
        ] = None,
    ) -> None:
        """Add datasets to workloads of any kind, and run them where the data is cached.

        Nothing is applied: pipe it on. Without --use pods leave the nodes with caches to others.
        """
        from datafluid.workload import DatasetUse

        wanted = [DatasetUse.parse(use) for use in uses or ()]
        text = read_source(file)
        documents = objects_of(text, file)
        home = "default" if facts is not None else session.client.context.namespace
        topology_of = _topologies(session, wanted, facts, documents)
        paths = tuple(undotted(path) for path in templates or ())
        done = _wrap(documents, wanted, topology_of, mode.value, paths)
        wraps = [(before, after) for before, after in done if after is not None]
        _tell(wraps, explain, home if wanted and session.namespace is None else None)
        for before in (before for before, after in done if after is None and explain):
            echo(f"{_title(before)} describes no pods, so it stays as it is.", file=sys.stderr)
        if any("kind" not in before and wrapped.extras for before, wrapped in wraps) and not diff:
            echo("The values of the chart come last; what is before them is to be applied.", file=sys.stderr)
        if not wanted:
            echo("No --use: its pods are told to leave the nodes that hold caches to others.", file=sys.stderr)
        if diff:
            paint_diff(_changes(wraps))
        elif output is _Format.kustomize:
            _kustomize(file, text, wraps, directory)
        else:
            extras, results = _extras(wraps), [before if after is None else after.manifest for before, after in done]
            if output is _Format.yaml:
                _print(text, extras, results)
            else:
                everything = [*extras, *results]
                as_json(everything[0] if len(everything) == 1 else _list(everything))


def _print(text: str, extras: list[dict[str, Any]], results: list[Mapping[str, Any]]) -> None:
    """Your text with what is new in it, where that can be."""
    from datafluid.model.documents import parse
    from datafluid.model.manifest import rebuilt
    from datafluid.model.weaving import woven

    fresh = iter(results)
    whole = woven(text, [rebuilt(document.data, fresh) for document in parse(text)], first=extras)
    as_manifests([*extras, *results], text=whole)
    if whole is None and "#" in text:
        echo("Comments are not kept; with -o kustomize your file stays as it is.", file=sys.stderr)


def _list(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _topologies(
    session: Session, uses: list[DatasetUse], facts: list[str] | None, documents: list[Mapping[str, Any]]
) -> Callable[[Mapping[str, Any]], Topology]:
    """What is known where a document is; each namespace is asked about once."""
    from datafluid.topology import read_topology
    from datafluid.workload import Topology

    if facts is not None:
        objects = [each for name in facts for each in objects_of(read_source(name), name)]
        given = Topology.of([*objects, *documents], namespace=session.namespace or "default")
        return lambda document: given

    @cache
    def read(namespace: str) -> Topology:
        try:
            return read_topology(session.client.plane, uses, namespace=namespace)
        except Unavailable as error:
            hint = "`--with FILE` reads datasets from a file, `--context embedded` takes this machine's."
            raise Unavailable(error.message, hint=hint) from error

    return lambda document: read(as_text(look(document, ("metadata", "namespace"))) or session.client.context.namespace)


def _wrap(
    documents: list[Mapping[str, Any]],
    uses: list[DatasetUse],
    topology_of: Callable[[Mapping[str, Any]], Topology],
    mode: Mode,
    templates: tuple[JsonPath, ...],
) -> list[tuple[Mapping[str, Any], Wrapped | None]]:
    """The documents, those that make pods with their wraps."""
    from datafluid.workload import wrap
    from datafluid.workload.places import pod_places

    for path in templates:
        _check_template(path, documents)
    done: list[tuple[Mapping[str, Any], Wrapped | None]] = []
    for each in documents:
        own = tuple(path for path in templates if look(each, path) is not None)
        wrapped = None
        if pod_places(each, templates=own):
            wrapped = wrap(each, uses, topology=topology_of(each), mode=mode, templates=own, beside=documents)
        done.append((each, wrapped))
    if all(wrapped is None for _, wrapped in done):
        raise Invalid("there is no workload in it.", hint="Give an object that makes pods, or say --template PATH.")
    return done


def _check_template(path: JsonPath, documents: list[Mapping[str, Any]]) -> None:
    """``--template`` is for kinds that are not known; for others it may say only what is so anyway."""
    from datafluid.workload.kinds import workload_kind
    from datafluid.workload.places import pod_places

    having = [each for each in documents if look(each, path) is not None]
    if not having:
        raise Invalid(f"there is nothing at {dotted(path)}.", hint="Give --template a path such as spec.template.")
    if all(workload_kind(each) and path not in [place.path for place in pod_places(each)] for each in having):
        kind = having[0].get("kind", "chart")
        raise Invalid(
            f"it is known where the pods of a {kind} are, and {dotted(path)} is not the place.",
            hint="Leave --template out.",
        )


def _tell(wraps: _Wraps, explain: bool, assumed: str | None) -> None:
    """The report on stderr; what was not done, may surprise, or was assumed, in any case."""
    for manifest, wrapped in wraps:
        if assumed and not look(manifest, ("metadata", "namespace")) and "kind" in manifest:
            echo(
                f"{_title(manifest)} names no namespace: wrapped for {assumed}. Apply it there, or say -n.",
                file=sys.stderr,
            )
        entries = wrapped.report if explain else wrapped.report.of("not done", "warning")
        for number, entry in enumerate(entries):
            if not number:
                echo(f"{_title(manifest)}:", file=sys.stderr)
            for line in str(entry).splitlines():
                echo(f"  {line}", file=sys.stderr)


def _title(manifest: Mapping[str, Any]) -> str:
    name = look(manifest, ("metadata", "name")) or look(manifest, ("metadata", "generateName"))
    return f"{manifest.get('kind', 'values')} {as_text(name)}".rstrip()


def _extras(wraps: _Wraps) -> list[dict[str, Any]]:
    """What goes with them, each once."""
    found: dict[str, dict[str, Any]] = {}
    for _, wrapped in wraps:
        for each in wrapped.extras:
            found.setdefault(f"{each['kind']}/{each['metadata'].get('namespace', '')}/{each['metadata']['name']}", each)
    return list(found.values())


def _changes(wraps: _Wraps) -> Iterable[str]:
    from datafluid.model.manifest import dump

    for extra in _extras(wraps):
        title = f"{extra['kind']}/{extra['metadata']['name']}"
        yield from difflib.unified_diff([], dump([extra]).splitlines(), "/dev/null", title, lineterm="")
    for before, wrapped in wraps:
        title = f"{before.get('kind', 'values')}/{(before.get('metadata') or {}).get('name', '')}".rstrip("/")
        old, new = (dump([each]).splitlines() for each in (before, wrapped.manifest))
        yield from difflib.unified_diff(old, new, title, f"{title} (wrapped)", lineterm="")


def _kustomize(file: str, text: str, wraps: _Wraps, directory: Path | None) -> None:
    from datafluid.model.manifest import dump
    from datafluid.workload.kustomize import EXTRAS_FILE, kustomization

    extras = _extras(wraps)
    name = "workload.yaml" if file == "-" else Path(file).name
    if directory is None:
        as_manifests([kustomization(name, wraps), *extras])
        if extras:
            echo(f"Put all but the first document into {EXTRAS_FILE}, or say --directory.", file=sys.stderr)
        return
    directory.mkdir(parents=True, exist_ok=True)
    # Kustomize takes no file from outside its directory.
    written = {name: text, "kustomization.yaml": dump([kustomization(name, wraps)])}
    if extras:
        written[EXTRAS_FILE] = dump(extras)
    for name, content in written.items():
        (directory / name).write_text(content, encoding="utf-8")
        echo(directory / name)
