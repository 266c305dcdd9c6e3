"""What the controllers of runtimes fail at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import Picture
from datafluid.model.lint.facts import closest
from datafluid.model.lint.subject import as_list, as_map, as_text, show
from datafluid.plane.events import Happening

_NO_SIZE = "either quota or quotaList must be set"
#: Errors of which other rules say more.
_KNOWN = (_NO_SIZE, "ThinRuntimeProfile", "No dataset can be bound", "Failed to shutdown")
_REASONS = ("ErrorProcessRuntime", "ErrorHelmInstall", "RuntimeScaleInFailed", "RuntimeWithSecretNotSupported")


@rule("no-quota", "A cache level without a size")
def no_quota(picture: Picture) -> Iterator[Found]:
    for runtime in picture.runtimes:
        told = [each for each in picture.about(runtime, warning=True) if _NO_SIZE in each.event.message]
        if told and picture.unbound:
            summary = f"A level of the {runtime.kind}'s tieredstore has neither quota nor quotaList."
            yield Found(summary, picture.said(runtime, warning=True), command("edit", runtime))


@rule("no-profile", "A profile that is not there")
def no_profile(picture: Picture) -> Iterator[Found]:
    if not picture.cluster or "ThinRuntimeProfile" in picture.unknown:
        return
    profiles = [each.name for each in picture.of("ThinRuntimeProfile")]
    for runtime in picture.runtimes:
        wanted = as_text(runtime.spec.get("profileName"))
        if picture.unbound and wanted and wanted not in profiles:
            meant = closest(wanted, profiles)
            hint = f"there is {show(meant)}" if meant else f"there are {len(profiles)} profiles, none of this name"
            summary = f"The {runtime.kind} names the profile {show(wanted)}, which is not there."
            yield Found(summary, [hint, *picture.said(runtime, warning=True)], "kubectl get thinruntimeprofiles")


@rule("mount-error", "A store that cannot be mounted")
def mount_error(picture: Picture) -> Iterator[Found]:
    for runtime in picture.runtimes:
        seen = picture.said(runtime, reason="RuntimeMountUfsFailed")
        if seen and not picture.leaving:
            yield Found("The engine cannot mount a store of the dataset.", seen, command("describe", runtime))


@rule("mount-pending", "A mount that is not in effect")
def mount_pending(picture: Picture) -> Iterator[Found]:
    if picture.dataset is None or picture.phase != "Bound" or picture.is_reference:
        return
    wanted = {as_text(as_map(each).get("mountPoint")) for each in as_list(picture.dataset.at("spec", "mounts"))}
    inside = {as_text(as_map(each).get("mountPoint")) for each in as_list(picture.dataset.at("status", "mounts"))}
    if inside and wanted - inside:
        seen = [f"spec has {show(point)}, status.mounts has not" for point in sorted(wanted - inside)]
        summary = "A mount was added and is not in effect yet: engines look every 90 s, Thin never does."
        yield Found(summary, seen, quoted("datafluid", "get", "dataset", picture.ref.name, "-n", picture.namespace))


@rule("runtime-error", "A runtime that its controller cannot set up")
def runtime_error(picture: Picture) -> Iterator[Found]:
    if not picture.unbound or len(picture.runtimes) > 1:
        return
    for runtime in picture.runtimes:
        told = [each for each in picture.about(runtime, warning=True) if _is_new(each)]
        if told:
            summary = f"The controller cannot set the {runtime.kind} up: {root_cause(told[-1].event.message)}."
            yield Found(summary, picture.said(runtime, reason=told[-1].event.reason), command("describe", runtime))


def _is_new(told: Happening) -> bool:
    return told.event.reason in _REASONS and not any(part in told.event.message for part in _KNOWN)


def root_cause(message: str) -> str:
    """The end of a chain of errors, which is where it began.

    Example:
        >>> root_cause("Failed to setup due to error failed to install: Error: INSTALLATION FAILED: too long")
        'too long'
    """
    words = re.split(r"Error: (?:INSTALLATION FAILED: )?|due to (?:error )?", " ".join(message.split()))
    return words[-1].strip(" .")[:200] or "it does not say why"
