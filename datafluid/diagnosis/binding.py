"""Why a dataset is not bound: what is missing or misnamed."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import PVC, Picture, labels_of, phase_of
from datafluid.model.lint.facts import RUNTIMES, closest, mount_points
from datafluid.model.lint.subject import Subject, as_text, show
from datafluid.model.names import is_dns1035_label
from datafluid.model.relations import reference_target
from datafluid.model.status import parse_time

_PATIENCE = 60.0  # seconds within which a controller that runs has looked at a new dataset


@rule("no-fluid", "Fluid is not installed")
def no_fluid(picture: Picture) -> Iterator[Found]:
    if picture.cluster and picture.served and "Dataset" not in picture.served:
        seen = ["the API server does not serve data.fluid.io/v1alpha1 Dataset"]
        yield Found("Fluid is not installed in this cluster.", seen, "kubectl api-resources --api-group=data.fluid.io")


@rule("no-dataset", "There is no such dataset")
def no_dataset(picture: Picture) -> Iterator[Found]:
    if picture.dataset is not None or "Dataset" in picture.unknown:
        return
    claim = picture.mine(PVC, picture.ref.name)
    left = [*picture.runtimes, *([claim] if claim is not None and _is_fluids(claim) else [])]
    if left:
        summary = "The dataset is gone, and what belonged to it is still being removed: wait before you make it again."
        seen = [f"{each.kind} {each.name} is still there" for each in left]
        yield Found(summary, seen, command("wait", left[0], "--for=delete", "--timeout=120s"))
        return
    names = [each.name for each in picture.of("Dataset", namespace=picture.namespace)]
    meant = closest(picture.ref.name, names)
    hint = f"the namespace has {show(meant)}" if meant else f"the namespace has {len(names)} other datasets"
    summary = f"There is no dataset {show(picture.ref.name)} in namespace {show(picture.namespace)}."
    yield Found(summary, [hint], "datafluid get datasets -A")


def _is_fluids(claim: Subject) -> bool:
    ours = any(key.startswith("fluid.io/") for key in labels_of(claim))
    return ours or claim.at("metadata", "annotations", "CreatedBy") == "fluid"


@rule("bad-name", "A name that Fluid refuses")
def bad_name(picture: Picture) -> Iterator[Found]:
    if picture.dataset is not None and picture.unbound and picture.cluster and not is_dns1035_label(picture.ref.name):
        summary = f"Fluid takes no dataset called {show(picture.ref.name)}: a Service could not be called so."
        seen = picture.said(picture.dataset, reason="ErrorCreateDataset")
        yield Found(summary, seen or [f"the name is {len(picture.ref.name)} characters long"], _delete(picture.dataset))


def _delete(subject: Subject) -> str:
    return command("delete", subject)


@rule("controller-down", "Nobody looks at the dataset")
def controller_down(picture: Picture) -> Iterator[Found]:
    dataset = picture.dataset
    if dataset is None or not picture.cluster or dataset.data.get("status"):
        return
    created = parse_time(dataset.at("metadata", "creationTimestamp"))
    waited = picture.now - created.timestamp() if created else 0.0
    if waited > _PATIENCE:
        stopped = [
            f"Deployment {each.name}: no replica is available"
            for each in picture.of("apps/v1/Deployment")
            if not each.at("status", "availableReplicas") and each.at("spec", "replicas") != 0
        ]
        seen = [f"no status {waited:.0f} s after it was created", *stopped]
        summary = "No controller of Fluid has looked at the dataset."
        yield Found(summary, seen, "kubectl get pods -n fluid-system", certain=bool(stopped))


@rule("second-runtime", "Two runtimes of one name")
def second_runtime(picture: Picture) -> Iterator[Found]:
    if len(picture.runtimes) > 1:
        bound = as_text(picture.dataset.at("status", "runtimes", 0, "type")) if picture.dataset else ""
        extra = next((each for each in picture.runtimes if RUNTIMES[each.kind] != bound), picture.runtimes[-1])
        seen = [f"{each.kind} {each.name}" for each in picture.runtimes]
        seen += [said for each in picture.runtimes for said in picture.said(each, warning=True)]
        kinds = " and ".join(each.kind for each in picture.runtimes)
        summary = f"{kinds} have the dataset's name; both write into it, and Fluid refuses neither."
        yield Found(summary, seen, _delete(extra))


@rule("no-runtime", "A dataset without a runtime")
def no_runtime(picture: Picture) -> Iterator[Found]:
    unseen = any(kind in picture.unknown for kind in RUNTIMES)
    if not (picture.unbound and picture.cluster) or picture.runtimes or picture.is_reference or unseen:
        return
    served = {each.name for each in picture.of("Dataset", namespace=picture.namespace)}
    lonely = [each for each in picture.of(*RUNTIMES, namespace=picture.namespace) if each.name not in served]
    if lonely:
        other = lonely[0]
        seen = [f"{other.kind} {other.name} has no dataset of its name", *picture.said(other, warning=True)]
        summary = f"No runtime has the dataset's name: {show(other.name)} serves a dataset {show(other.name)} only."
        yield Found(summary, seen, command("get", other, "-o", "yaml"), certain=len(lonely) == 1)
        return
    summary = f"No runtime is called {show(picture.ref.name)} in namespace {show(picture.namespace)}."
    seen = [f"phase {picture.phase or 'not set'}; no runtime of any kind has its name"]
    yield Found(summary, seen, "datafluid apply -f RUNTIME.yaml")


@rule("reference-unbound", "A reference to a dataset that is not bound")
def reference_unbound(picture: Picture) -> Iterator[Found]:
    if picture.dataset is None or picture.leaving:
        return
    targets = [reference_target(point) for point in mount_points(picture.dataset)]
    for namespace, name, _ in (target for target in targets if target is not None):
        if f"Dataset {namespace}/{name}" in picture.unknown:
            continue
        physical = picture.one("Dataset", name, namespace)
        state = phase_of(physical) or "without a phase" if physical else "not there"
        if state != "Bound":
            summary = f"It refers to {show(f'{namespace}/{name}')}, which is not Bound."
            seen = [f"Dataset {namespace}/{name} is {state}"]
            yield Found(summary, seen, quoted("datafluid", "diagnose", f"dataset/{name}", "-n", namespace))


@rule("claim-taken", "A claim of the dataset's name")
def claim_taken(picture: Picture) -> Iterator[Found]:
    claim = picture.mine(PVC, picture.ref.name)
    if claim is not None and picture.dataset is not None and not _is_fluids(claim):
        summary = f"A claim {show(claim.name)} was there before, and Fluid makes its own of that name."
        seen = [f"PersistentVolumeClaim {claim.name} has neither annotation CreatedBy=fluid nor labels of Fluid"]
        yield Found(summary, seen, command("describe", claim))
