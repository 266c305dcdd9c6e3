"""``datafluid submit``: what it says, what it answers, and what becomes of it when it is interrupted."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

import datafluid
from datafluid.model.ref import Ref
from tests.cli.conftest import Run
from tests.submission.stage import DATASET, FLIGHTS, JOB, JOB_REF, RUNTIME, Stage, client


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Every command works on this plane."""
    stage = Stage()
    monkeypatch.setattr(datafluid, "connect", lambda context=None: client(stage))
    return stage


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The workload in one file, its dataset in another."""
    (tmp_path / "workload.yaml").write_text(yaml.safe_dump(JOB))
    (tmp_path / "dataset.yaml").write_text(yaml.safe_dump_all([DATASET, RUNTIME]))
    return ["-f", str(tmp_path / "workload.yaml"), "-f", str(tmp_path / "dataset.yaml")]


def test_it_tells_the_plan_and_each_step(run: Run, plane: Stage, files: list[str]) -> None:
    """On standard error; on standard output the one line that a script wants."""
    result = run("submit", *files, "--load", "0.5", "--watch")
    assert result.stdout == "Job team/train submitted\n"
    assert "Fits on 3 nodes: n0, n1, n2." in result.stderr
    told = [line for line in result.stderr.splitlines() if line.startswith(("apply", "create", "release"))]
    assert told[:2] == ["apply Dataset flights", "apply AlluxioRuntime flights"]
    assert told[-2:] == ["create, held, Job train", "release"]


def test_it_tells_what_lint_warns_of(run: Run, plane: Stage, files: list[str], tmp_path: Path) -> None:
    """As `apply` does, before it says anything of the plan."""
    work: dict[str, Any] = copy.deepcopy(JOB)
    work["spec"]["template"]["metadata"] = {"labels": {"fluid.io/dataset.flights.sched": "yes"}}
    (tmp_path / "workload.yaml").write_text(yaml.safe_dump(work))
    first, *_ = run("submit", *files).stderr.splitlines()
    assert first.startswith("Warning: DF401 Job train: ")


def test_detached_it_prints_the_command_that_resumes(run: Run, plane: Stage, files: list[str]) -> None:
    """And that command works."""
    plane.moving = False
    result = run("submit", *files, "--detach")
    assert result.stdout == "Job team/train held\n"
    assert "`datafluid submit --resume batch/v1/Job/train -n team --context stage`" in result.stderr
    assert run("submit", "--resume", "batch/v1/Job/train", "--timeout", "0", "--watch", code=4).stderr.count("waiting:")
    plane.moving = True
    assert run("submit", "--resume", "batch/v1/Job/train").stdout == "Job team/train submitted\n"


def test_no_fit_counts_the_reasons(run: Run, plane: Stage, files: list[str], tmp_path: Path) -> None:
    """And applies nothing."""
    for node in plane.list("v1/Node"):
        plane.patch(Ref.of(node), {"spec": {"unschedulable": True}})
    result = run("submit", *files, code=1)
    assert "3 nodes: a taint that is not tolerated: node.kubernetes.io/unschedulable:NoSchedule" in result.stderr
    assert plane.list("Dataset") == []


def test_an_interrupt_keeps_the_hold(run: Run, plane: Stage, files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nobody is asked; the command that goes on is printed."""
    plane.moving = False
    monkeypatch.setattr(plane, "watch", interrupted)
    result = run("submit", *files, code=130)
    assert (
        "Job team/train stays held. Go on with `datafluid submit --resume batch/v1/Job/train -n team --context stage`."
        in result.stderr
    )
    assert plane.get(JOB_REF)["spec"]["suspend"] is True


def interrupted(*args: Any, **settings: Any) -> Any:
    """Ctrl-C while it waits."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("answer", "there", "suspended"), [("run", True, False), ("delete", False, None), ("", True, True)]
)
def test_on_a_terminal_an_interrupt_asks(
    run: Run, plane: Stage, files: list[str], monkeypatch: pytest.MonkeyPatch, answer: str, there: bool, suspended: Any
) -> None:
    """Keep it, run it, delete it; the datasets stay in any case."""
    import datafluid.cli.submit as module

    plane.moving = False
    monkeypatch.setattr(module, "_on_terminal", lambda: True)
    monkeypatch.setattr(plane, "watch", interrupted)
    run("submit", *files, code=130, input=f"{answer}\n")
    found = plane.list("batch/v1/Job")
    assert bool(found) is there
    assert [each["spec"]["suspend"] for each in found] == ([suspended] if there else [])
    assert plane.get(FLIGHTS)


@pytest.mark.parametrize(
    "args", [(), ("--load", "much"), ("--resume", "train"), ("--resume", "a/b/C/d", "-f", "x.yaml")]
)
def test_wrong_usage_says_what_to_write(run: Run, plane: Stage, args: tuple[str, ...], files: list[str]) -> None:
    """Exit code 2."""
    assert "Try:" in run("submit", *(files if "--load" in args else ()), *args, code=2).stderr
