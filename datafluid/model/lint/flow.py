"""Rules about when operations run: policy, schedule, time to live, and one after the other."""

from __future__ import annotations

from datafluid.errors import Invalid
from datafluid.model.lint.facts import OPERATIONS, closest
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_list, as_map, as_text, may_be_same, show
from datafluid.model.schedule import Schedule

_SCHEDULED = ("DataLoad", "DataMigrate", "DataProcess")
_RUN_AFTER = ("spec", "runAfter")
_AFFINITY_POLICIES = ("Require", "Prefer")


def _is_cron(subject: Subject) -> bool:
    return subject.spec.get("policy") == "Cron"


@rule("DF305", "Policy OnEvent", "error", kinds=_SCHEDULED, source="Fluid")
def on_event(subject: Subject, scope: Scope) -> Hits:
    if subject.spec.get("policy") == "OnEvent":
        yield Hit(
            ("spec", "policy"),
            "OnEvent is not implemented: the operation stays Executing for ever and does nothing.",
            "Write Once, or Cron with a schedule.",
        )


@rule("DF306", "Policy Cron without a schedule", "error", kinds=_SCHEDULED, source="Fluid")
def no_schedule(subject: Subject, scope: Scope) -> Hits:
    if _is_cron(subject) and not as_text(subject.spec.get("schedule")).strip():
        path = ("spec", "schedule") if "schedule" in subject.spec else ("spec", "policy")
        hint = 'Set spec.schedule, for example "0 3 * * *" for every day at 03:00.'
        yield Hit(path, "policy Cron without a schedule ends in Failed.", hint)


@rule(
    "DF307",
    "A schedule that is none",
    "error",
    kinds=_SCHEDULED,
    source="Fluid: as its controllers were seen to behave",
)
def bad_schedule(subject: Subject, scope: Scope) -> Hits:
    schedule = as_text(subject.spec.get("schedule"))
    if not schedule.strip():
        return
    try:
        Schedule(schedule)
    except Invalid as error:
        yield Hit(("spec", "schedule"), error.message, error.hint)


@rule("DF308", "A schedule without policy Cron", "warning", kinds=_SCHEDULED, source="Fluid: policy")
def schedule_ignored(subject: Subject, scope: Scope) -> Hits:
    if as_text(subject.spec.get("schedule")) and subject.spec.get("policy") in (None, "", "Once"):
        yield Hit(
            ("spec", "schedule"),
            "the operation runs once, whatever the schedule says.",
            "Add spec.policy: Cron.",
        )


@rule(
    "DF309",
    "A schedule that cannot be changed",
    "info",
    kinds=_SCHEDULED,
    source="Fluid: editing schedule does nothing",
    plane="kubernetes",
)
def schedule_is_fixed(subject: Subject, scope: Scope) -> Hits:
    if scope.plane == "kubernetes" and _is_cron(subject) and as_text(subject.spec.get("schedule")):
        yield Hit(
            ("spec", "schedule"),
            "a later change of the schedule reaches no CronJob.",
            f"datafluid changes the CronJob too; with kubectl, delete the {subject.kind} and apply it anew.",
        )


@rule("DF310", "A time to live with policy Cron", "warning", kinds=_SCHEDULED, source="Fluid")
def ttl_ignored(subject: Subject, scope: Scope) -> Hits:
    if _is_cron(subject) and subject.spec.get("ttlSecondsAfterFinished") is not None:
        yield Hit(
            ("spec", "ttlSecondsAfterFinished"),
            "ttlSecondsAfterFinished counts for policy Once only.",
            "Leave it out; runs are kept by history limits.",
        )


def _predecessor(subject: Subject, scope: Scope) -> Subject | None:
    after = as_map(subject.spec.get("runAfter"))
    namespace = as_text(after.get("namespace")) or subject.namespace
    found = scope.there([as_text(after.get("kind"))], namespace, as_text(after.get("name")))
    return next((each for each in found if each.kind in OPERATIONS), None)


@rule("DF312", "A predecessor that is not there", "warning", kinds=OPERATIONS, source="Fluid")
def predecessor_missing(subject: Subject, scope: Scope) -> Hits:
    after = as_map(subject.spec.get("runAfter"))
    kind, name = as_text(after.get("kind")), as_text(after.get("name"))
    if not name or scope.there([kind], as_text(after.get("namespace")) or subject.namespace, name):
        return
    others = [each for each in scope.of_kind(*OPERATIONS) if each is not subject]
    sure = scope.around is not None and scope.around.knows(kind)
    if not others and not sure:
        return
    meant = closest(name, [each.name for each in others])
    known = next((each for each in others if each.name == meant), None)
    hint = f"Did you mean {known.kind} {show(known.name)}?" if known else "Check that it is applied elsewhere."
    where = "in the source nor in the cluster" if sure else "in the source"
    yield Hit(_RUN_AFTER, f"it waits for {show(kind or 'operation')} {show(name)}, which is not {where}.", hint)


@rule("DF313", "Operations that wait for each other", "error", kinds=OPERATIONS, source="Fluid")
def cycle(subject: Subject, scope: Scope) -> Hits:
    seen: dict[tuple[str, str, str], Subject] = {}
    current: Subject | None = subject
    while current is not None and _identity(current, scope) not in seen:
        seen[_identity(current, scope)] = current
        current = _predecessor(current, scope)
    authored = [each for each in scope.subjects if any(each is member for member in seen.values())]
    if current is not None and _identity(current, scope) == _identity(subject, scope) and authored[0] is subject:
        round_trip = " after ".join(show(each.name) for each in [*seen.values(), subject])
        hint = "Take one runAfter away."
        yield Hit(_RUN_AFTER, f"nothing of this ever starts: {round_trip}.", hint)


def _identity(subject: Subject, scope: Scope) -> tuple[str, str, str]:
    return subject.kind, scope.home(subject), subject.name


@rule("DF345", "A predecessor that has failed", "error", kinds=OPERATIONS, source="Fluid: seen to wait for ever")
def predecessor_failed(subject: Subject, scope: Scope) -> Hits:
    found = _predecessor(subject, scope)
    if found is not None and found.at("status", "phase") == "Failed":
        yield Hit(
            _RUN_AFTER,
            f"it waits for {show(found.kind)} {show(found.name)}, which has failed: it would wait for ever.",
            "Delete that one and run it again, or take runAfter away.",
        )


@rule(
    "DF314",
    "A predecessor of another namespace",
    "warning",
    kinds=OPERATIONS,
    source="Fluid: runAfter",
)
def other_namespace(subject: Subject, scope: Scope) -> Hits:
    namespace = as_text(subject.at(*_RUN_AFTER, "namespace"))
    if not may_be_same(namespace, subject.namespace):
        yield Hit(
            (*_RUN_AFTER, "namespace"),
            f"it waits for an operation in {show(namespace)}, whose dataset it cannot work on.",
            "Leave the namespace out, unless the order across namespaces is what you want.",
        )


@rule(
    "DF316",
    "An unknown affinity policy",
    "error",
    kinds=OPERATIONS,
    source="Fluid: as its controllers were seen to behave",
    plane="kubernetes",
)
def affinity_policy(subject: Subject, scope: Scope) -> Hits:
    path = (*_RUN_AFTER, "affinityStrategy", "policy")
    policy = subject.at(*path)
    if policy in (None, "", *_AFFINITY_POLICIES):
        return
    meant = closest(as_text(policy), _AFFINITY_POLICIES)
    yield Hit(
        path,
        f"{show(policy)} is no affinity policy.",
        f"Write {meant}." if meant else "Use Require or Prefer.",
    )


@rule(
    "DF317",
    "An affinity strategy behind a closed gate",
    "info",
    kinds=OPERATIONS,
    source="Fluid: data-flow affinity",
    plane="kubernetes",
)
def affinity_gate(subject: Subject, scope: Scope) -> Hits:
    path = (*_RUN_AFTER, "affinityStrategy")
    if subject.at(*path, "policy") in _AFFINITY_POLICIES:
        yield Hit(
            path,
            "Fluid heeds it only with the feature gate DataflowAffinity, which is off by default.",
            "Ask for fluidapp.featureGates DataflowAffinity=true, or set nodeSelector on the operation.",
        )


@rule(
    "DF318",
    "Several predecessors",
    "error",
    kinds=OPERATIONS,
    source="Fluid: runAfter is one object",
)
def several_predecessors(subject: Subject, scope: Scope) -> Hits:
    if as_list(subject.spec.get("runAfter")):
        yield Hit(_RUN_AFTER, "an operation waits for one other only.", "Name one, and chain the rest behind it.")
