"""Rules about the processor of a DataProcess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_list, as_map, as_text, show

_KINDS = ("DataProcess",)
_PROCESSOR = ("spec", "processor")
_SCRIPT = (*_PROCESSOR, "script")
_POD = (*_PROCESSOR, "job", "podSpec")
_FAR_ENOUGH = ("Never", "OnFailure")


@rule("DF321", "A job without a pod", "error", kinds=_KINDS, source="Fluid", plane="kubernetes")
def no_pod_spec(subject: Subject, scope: Scope) -> Hits:
    job = subject.at(*_PROCESSOR, "job")
    if isinstance(job, Mapping) and not job.get("podSpec"):
        yield Hit(
            (*_PROCESSOR, "job"),
            "a job without podSpec crashes Fluid's controller.",
            "Set processor.job.podSpec, or use processor.script.",
        )


@rule("DF322", "Both a job and a script", "error", kinds=_KINDS, source="Fluid: MultipleProcessorSpecified")
def two_processors(subject: Subject, scope: Scope) -> Hits:
    if subject.at(*_PROCESSOR, "job") is not None and subject.at(*_SCRIPT) is not None:
        yield Hit(_PROCESSOR, "a DataProcess has one processor, not two.", "Keep job or script.")


@rule("DF323", "Neither a job nor a script", "error", kinds=_KINDS, source="Fluid: ProcessorNotSpecified")
def no_processor(subject: Subject, scope: Scope) -> Hits:
    processor = subject.at(*_PROCESSOR)
    if isinstance(processor, Mapping) and processor.get("job") is None and processor.get("script") is None:
        yield Hit(_PROCESSOR, "the DataProcess has nothing to run.", "Set processor.script or processor.job.")


@rule("DF324", "A script without its image", "error", kinds=_KINDS, source="Fluid")
def script_image(subject: Subject, scope: Scope) -> Hits:
    script = subject.at(*_SCRIPT)
    if not isinstance(script, Mapping):
        return
    missing = [field for field in ("image", "imageTag") if not as_text(script.get(field))]
    if missing:
        yield Hit(
            _SCRIPT,
            f"the script has no {' and no '.join(missing)}.",
            "Set image and imageTag, both; the tag does not go into image.",
        )


@rule("DF325", "An empty script", "error", kinds=_KINDS, source="Fluid: source required")
def empty_script(subject: Subject, scope: Scope) -> Hits:
    source = subject.at(*_SCRIPT, "source")
    if isinstance(source, str) and not source.strip():
        yield Hit((*_SCRIPT, "source"), "the script is empty.", "Write the commands to run.")


@rule("DF326", "A job pod that restarts for ever", "error", kinds=_KINDS, source="Fluid")
def restart_policy(subject: Subject, scope: Scope) -> Hits:
    pod = subject.at(*_POD)
    if isinstance(pod, Mapping) and pod and pod.get("restartPolicy") not in _FAR_ENOUGH:
        path: Path = (*_POD, "restartPolicy") if "restartPolicy" in pod else _POD
        yield Hit(
            path,
            "Kubernetes refuses a Job whose pod restarts for ever.",
            "Set restartPolicy: Never or OnFailure.",
        )


@rule("DF327", "A mount in the dataset's place", "error", kinds=_KINDS, source="Fluid: ConflictMountPath")
def mount_conflict(subject: Subject, scope: Scope) -> Hits:
    wanted = as_text(subject.at("spec", "dataset", "mountPath")).rstrip("/")
    for path, mount in _volume_mounts(subject):
        if wanted and as_text(mount.get("mountPath")).rstrip("/") == wanted:
            yield Hit(
                (*path, "mountPath"),
                f"{show(wanted)} is where the dataset is mounted.",
                "Mount the volume elsewhere, or change spec.dataset.mountPath.",
            )


def _volume_mounts(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    yield from subject.maps(*_SCRIPT, "volumeMounts")
    for field in ("containers", "initContainers"):
        for path, _ in subject.maps(*_POD, field):
            yield from subject.maps(*path, "volumeMounts")


@rule("DF344", "A pod without containers", "error", kinds=_KINDS, source="Kubernetes API, PodSpec")
def no_containers(subject: Subject, scope: Scope) -> Hits:
    pod = as_map(subject.at(*_POD))
    if pod and not as_list(pod.get("containers")):
        yield Hit(_POD, "the pod has no containers.", "Add podSpec.containers.")
