"""What the embedded plane says itself, in conditions and events, and what was said last on any plane."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.diagnosis.cause import Found, quoted, rule
from datafluid.diagnosis.picture import Picture, condition, is_past, line
from datafluid.model.lint.subject import as_text, show


@rule("not-reached", "A dataset that this machine cannot bind")
def not_reached(picture: Picture) -> Iterator[Found]:
    if picture.cluster or picture.dataset is None or not picture.unbound or picture.is_reference:
        return
    ready = condition(picture.dataset, "Ready")
    if ready.get("status") == "False":
        seen = [f"{ready.get('reason')}: {as_text(ready.get('message'))}"]
        kinds = ("Dataset", *(each.kind for each in picture.runtimes))
        seen += [line(each) for each in picture.told(*kinds, name=picture.ref.name, warning=True)[-1:]]
        yield Found(
            "The dataset's mounts or its cache cannot be had on this machine: bring back what they name, or correct "
            "them and apply it again.",
            seen,
            f"datafluid get dataset {picture.ref.name} -n {picture.ref.namespace} -o yaml",
        )


@rule("store-away", "A store that has gone away")
def store_away(picture: Picture) -> Iterator[Found]:
    if picture.dataset is not None and (away := condition(picture.dataset, "UnderStoreAway")).get("status") == "True":
        seen = [as_text(away.get("message")), f"since {away.get('lastTransitionTime')}"]
        yield Found("The dataset's store does not answer.", seen, "datafluid doctor")


@rule("not-served", "A schedule that nobody runs")
def not_served(picture: Picture) -> Iterator[Found]:
    for operation in picture.operations:
        told = condition(operation, "Served")
        if told.get("status") == "False":
            seen = [as_text(told.get("message"))]
            summary = f"{operation.kind} {show(operation.name)} does not run by itself: nobody runs schedules here."
            yield Found(summary, seen, "datafluid serve")


@rule("newest-warning", "The newest warning, when nothing else is known")
def newest_warning(picture: Picture) -> Iterator[Found]:
    if not picture.unbound:
        return
    kinds = ("Dataset", *(each.kind for each in picture.runtimes))
    told = [each for each in picture.told(*kinds, name=picture.ref.name, warning=True) if not is_past(each)]
    if told:
        describe = quoted("datafluid", "describe", "dataset", picture.ref.name, "-n", picture.namespace)
        summary = f"The dataset is {picture.phase or 'without a phase'}; this was said last."
        yield Found(summary, [line(told[-1])], describe, certain=False)


@rule("still-starting", "A dataset that is on its way")
def still_starting(picture: Picture) -> Iterator[Found]:
    if picture.unbound and picture.runtimes:
        seen = []
        for runtime in picture.runtimes:
            phases = [
                f"{part} {runtime.at('status', f'{part}Phase') or 'not yet'}" for part in ("master", "worker", "fuse")
            ]
            seen.append(f"{runtime.kind} {runtime.name}: {', '.join(phases)}")
        summary = "It is not Bound yet; Alluxio needs 20 to 45 s from nothing, others a few seconds."
        wait = quoted("datafluid", "wait", "dataset", picture.ref.name, "-n", picture.namespace)
        yield Found(summary, seen, wait, certain=False)
