"""What is wrong with an operation on a schedule: its own status says little."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import Picture, condition
from datafluid.model.lint.subject import Subject, as_text, show
from datafluid.model.names import OperationNames

_JOB, _CRON_JOB = "batch/v1/Job", "batch/v1/CronJob"


@rule("suspended", "A schedule that is suspended")
def suspended(picture: Picture) -> Iterator[Found]:
    for operation, name in _scheduled(picture):
        cron = picture.mine(_CRON_JOB, name)
        if cron is not None and cron.spec.get("suspend") is True:
            resume = command("patch", cron, "--type=merge", "-p", '{"spec":{"suspend":false}}')
            summary = f"{operation.kind} {show(operation.name)} does not run: its schedule is suspended."
            yield Found(summary, [f"CronJob {cron.name}: suspend true"], resume)


@rule("runs-fail", "A schedule whose runs fail")
def runs_fail(picture: Picture) -> Iterator[Found]:
    """Runs that are tried again for longer than a period never show as Failed."""
    for operation, name in _scheduled(picture):
        jobs = sorted((job for job in picture.of(_JOB) if job.name.startswith(f"{name}-")), key=lambda job: job.name)
        ended = [job for job in jobs if condition(job, "Complete") or condition(job, "Failed")]
        if ended and condition(ended[-1], "Failed").get("status") == "True":
            why = as_text(condition(ended[-1], "Failed").get("reason"))
            seen = [
                f"Job {ended[-1].name}: Failed: {why}",
                f"phase {as_text(operation.at('status', 'phase')) or 'none'}",
            ]
            logs = quoted("kubectl", "logs", f"job/{ended[-1].name}", "-n", operation.namespace, "--tail=50")
            yield Found(f"The last run of {operation.kind} {show(operation.name)} failed.", seen, logs)


def _scheduled(picture: Picture) -> Iterator[tuple[Subject, str]]:
    """The operations on a schedule, each with the name of its CronJob."""
    for operation in picture.operations:
        name = OperationNames.of(operation.kind, operation.name).job
        if operation.spec.get("policy") == "Cron" and name:
            yield operation, name
