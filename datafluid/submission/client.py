"""Submitting a workload together with its datasets, for the client: ``Client.submit`` and ``Client.resume``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, Any

from datafluid.applied import checked
from datafluid.errors import Invalid, Unsupported
from datafluid.model.kinds import API_VERSION
from datafluid.model.plain import as_map
from datafluid.model.ref import Ref
from datafluid.placement import Plan
from datafluid.plane.port import Cluster, Manifest
from datafluid.submission.intending import Intended, intend, intend_resume
from datafluid.submission.reading import Given, placed, read
from datafluid.submission.running import ClusterPlane, check, run
from datafluid.submission.steps import Step
from datafluid.workload.release import ReleaseCondition

if TYPE_CHECKING:
    from datafluid.client.base import Connected
    from datafluid.model.lint import Finding
    from datafluid.workload import DatasetFacts, DatasetUse

__all__ = ["Submitted", "resume", "submit", "workload_ref"]

Tell = Callable[[Step], None]
_MADE = "datafluid.io/made-for-workloads"  # on what wrap made, such as a reference dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A workload that was submitted.

    Args:
        ref: The workload; None for the values of a chart, which nobody here applies.
        runs: Whether it was let go; False while it is held.
        plan: Where it and its caches can be.
        notes: What one should know, one sentence each.
        findings: What lint has to say about all of it that is no error: warnings, and facts.
        context: The context that it was submitted in.

    Example:
        >>> held = Submitted(ref=Ref("batch/v1/Job", "train", "team"), runs=False, plan=Plan())
        >>> held.resume_command
        'datafluid submit --resume batch/v1/Job/train -n team'
    """

    ref: Ref | None
    runs: bool
    plan: Plan
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    context: str = ""

    @property
    def resume_command(self) -> str:
        """What goes on with it in a shell."""
        if self.ref is None:
            return ""
        place = f" --context {quote(self.context)}" if self.context else ""
        return f"datafluid submit --resume {self.ref.kind}/{self.ref.name} -n {self.ref.namespace}{place}"


def submit(
    client: Connected,
    workload: Any,
    datasets: Iterable[Any],
    *,
    uses: Iterable[DatasetUse | str],
    load: bool | float | None,
    detach: bool,
    timeout: float | None,
    slack: int,
    begin: Callable[[Submitted], None],
    tell: Tell,
) -> Submitted:
    """Behind `Client.submit`.

    Args:
        begin: Told what is intended, before anything is changed.
        tell: Told each step.
    """
    plane = _cluster(client)
    given, told = _wrapped(client, read(workload, datasets, namespace=client.context.namespace), tuple(uses))
    fluid, findings = checked(client, given.fluid, beside=_others(given))
    intended = intend(plane, replace(given, fluid=tuple(fluid)), load=load, slack=slack)
    intended = replace(intended, notes=(*told, *intended.notes), findings=tuple(findings))
    intent = intended.intent
    if detach and not intent.hold.path:
        raise Invalid(
            f"{intent.ref or 'a chart'} cannot be left alone: nothing would create it when its data is there.",
            hint="Leave --detach away.",
        )
    submitted = _submitted(client, intended)
    begin(submitted)
    check(plane, intent)
    resume = submitted.resume_command
    runs = run(plane, intent, until_held=detach, timeout=timeout, tell=tell, resume=resume)
    return replace(submitted, runs=runs)


def resume(client: Connected, ref: Ref, *, now: bool, timeout: float | None, tell: Tell) -> Submitted:
    """Behind `Client.resume`."""
    plane = _cluster(client)
    intended = intend_resume(plane, ref)
    if now:
        condition = ReleaseCondition(before=intended.intent.condition.before, extras=intended.intent.condition.extras)
        intended = replace(intended, intent=replace(intended.intent, condition=condition))
    submitted = _submitted(client, intended)
    again = submitted.resume_command
    runs = run(plane, intended.intent, until_held=False, timeout=timeout, tell=tell, resume=again)
    return replace(submitted, runs=runs)


def workload_ref(text: str, namespace: str) -> Ref:
    """The workload that a text names: ``batch/v1/Job/train``, as `Submitted.resume_command` writes it.

    Raises:
        Invalid: it names none.
    """
    kind, _, name = text.rpartition("/")
    if not name or kind.count("/") not in (1, 2) or kind.startswith(API_VERSION):
        raise Invalid(f"{text[:200]!r} names no workload.", hint="Write for example batch/v1/Job/train.")
    return Ref(kind, name, namespace)


def _wrapped(client: Connected, given: Given, uses: tuple[DatasetUse | str, ...]) -> tuple[Given, list[str]]:
    """The workload wrapped for its datasets, and what could not be done."""
    if not uses:
        return given, []
    from datafluid.topology import read_topology
    from datafluid.workload import DatasetUse, Topology, wrap

    namespace = given.workload["metadata"]["namespace"]
    wanted = [DatasetUse.parse(each) if isinstance(each, str) else each for each in uses]
    there = read_topology(client.plane, wanted, namespace=namespace)
    coming = Topology.of(given.fluid, namespace=namespace)
    # What an earlier submission made is made again, so that it belongs to this workload too.
    made = {Ref.of(each) for each in client.plane.list("Dataset", namespace=namespace) if _is_made(each)}
    kept = {key: facts for key, facts in there.datasets.items() if _ref(facts) not in made}
    topology = replace(there, datasets={**coming.datasets, **kept})
    done = wrap(given.workload, wanted, topology=topology, beside=(*given.fluid, *given.beside, *given.extras))
    authored = {f"{each['metadata'].get('namespace')}/{each['metadata'].get('name')}" for each in given.fluid}
    ids = [f"{each.namespace(namespace)}/{each.name}" for each in wanted]
    named = dict.fromkeys([*given.named, *(each for each in ids if each not in authored)])
    extras = (*given.extras, *(_marked(placed(each, namespace)) for each in done.extras))
    wrapped = replace(given, workload=done.manifest, extras=extras, named=tuple(named))
    return wrapped, [entry.message for entry in done.report.of("warning", "not done")]


def _others(given: Given) -> list[Manifest]:
    """All that lint looks at beside the objects of Fluid; the values of a chart are no object."""
    workload = [given.workload] if "kind" in given.workload else []
    return [*workload, *given.beside, *given.extras]


def _ref(facts: DatasetFacts) -> Ref:
    return Ref("Dataset", facts.name, facts.namespace)


def _is_made(dataset: Manifest) -> bool:
    return _MADE in as_map(as_map(dataset.get("metadata")).get("annotations"))


def _marked(extra: Manifest) -> Manifest:
    metadata = as_map(extra.get("metadata"))
    return {**extra, "metadata": {**metadata, "annotations": {**as_map(metadata.get("annotations")), _MADE: "true"}}}


def _submitted(client: Connected, intended: Intended) -> Submitted:
    return Submitted(
        ref=intended.intent.ref,
        runs=False,
        plan=intended.plan,
        notes=intended.notes,
        findings=intended.findings,
        context=client.context.name,
    )


def _cluster(client: Connected) -> ClusterPlane:
    plane = client.plane
    if not isinstance(plane, Cluster):
        raise Unsupported(
            f"the {plane.name} plane runs no workloads.",
            hint="Name a cluster with --context.",
        )
    return plane
