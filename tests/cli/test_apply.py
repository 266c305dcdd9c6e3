"""``datafluid apply``: what it warns of, and how it says where something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.errors import Invalid
from datafluid.model.lint import run as linting
from tests.cli.conftest import Run

CLEAN = """\
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata: {name: flights}
spec:
  mounts: [{mountPoint: "local:///tmp", name: flights, path: "/"}]
"""
ODD = CLEAN.replace("metadata: {", "metadata: {annotations: {datafluid.io/refesh: open}, ")
BROKEN = CLEAN.replace("mounts:", "mountz:")
LIST = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
    f"{'-' if number == 0 else ' '} {line}\n" for number, line in enumerate(BROKEN.splitlines())
)


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_warnings_are_told_on_stderr_one_line_each(tmp_path: Path, run: Run, options: list[str]) -> None:
    """Code, place, message and hint; stdout is as ever, and the exit code too."""
    file = written(tmp_path / "odd.yaml", ODD)
    result = run("apply", "-f", file, *options)
    (line,) = [each for each in result.stderr.splitlines() if "DF020" in each]
    assert line.startswith(f"Warning: DF020 {file}:3: Dataset flights: metadata.annotations")
    assert "datafluid.io/refresh" in line
    assert "DF" not in result.stdout
    assert "DF020" not in run("apply", "-f", written(tmp_path / "clean.yaml", CLEAN), *options).stderr


def test_applied_carries_the_findings(client: Client) -> None:
    """Those that are no errors."""
    applied = client.apply(ODD, dry_run=True)
    assert "DF020" in {finding.code for finding in applied.findings}
    assert "error" not in {finding.severity for finding in applied.findings}


def test_the_source_is_linted_once_and_read_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run would tell the same; a pipe has nothing the second time."""
    runs = []
    monkeypatch.setattr(
        linting, "RULES", [*linting.RULES, lambda subject, scope: runs.append(len(scope.subjects)) or ()]
    )

    class Once:
        def __iter__(self) -> Any:
            return iter([CLEAN, CLEAN.replace("name: flights", "name: trains")])

    client.apply(iter(Once()), dry_run=True)
    assert [each for each in runs if each > 1] == [2, 2]  # once for each object; the plane looks at them one by one


def test_an_error_says_file_line_and_object(tmp_path: Path, run: Run) -> None:
    """Of whichever file, also for an item of a List."""
    files = [written(tmp_path / "multi.yaml", ODD.replace("flights", "trains")), written(tmp_path / "list.yaml", LIST)]
    error = run("apply", "-f", files[0], "-f", files[1], code=2).stderr.splitlines()[0]
    assert error.startswith(f"Error: {files[1]}:8: Dataset flights: items[0].spec.mountz: ")
    assert run("apply", "-f", "-", input=BROKEN, code=2).stderr.startswith(
        "Error: line 5: Dataset flights: spec.mountz"
    )


def test_what_is_no_yaml_has_its_file_and_line_too(tmp_path: Path, run: Run) -> None:
    """In the place that lint says."""
    file = written(tmp_path / "torn.yaml", CLEAN.replace("}]", "}"))
    place = run("lint", file, code=1).stdout.partition(" ")[0]
    assert run("apply", "-f", file, code=2).stderr.startswith(f"Error: {place} it is not YAML")
    assert place.startswith(f"{file}:")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n# nothing\n---\n"])
def test_a_file_without_an_object_is_invalid(tmp_path: Path, run: Run, text: str) -> None:
    """Whoever applies it meant something to happen."""
    file = written(tmp_path / "empty.yaml", text)
    assert f"Error: {file}: no object is in it." in run("apply", "-f", file, code=2).stderr
    assert "no object is in it." in run("lint", file, code=1).stdout


def test_an_object_without_a_name_has_a_place_before_the_colon(client: Client, run: Run) -> None:
    """Its line and kind; or its kind when there is no text."""
    nameless = CLEAN.replace("metadata: {name: flights}", "metadata: {}")
    assert "Error: line 1: Dataset: the object has no name." in run("apply", "-f", "-", input=nameless, code=2).stderr
    with pytest.raises(Invalid, match=r"^Dataset: the object has no name\."):
        client.plane.apply({"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": {}, "spec": {}})


@pytest.mark.parametrize("words", [["apply", "-f"], ["lint"], ["wrap"]])
def test_what_is_no_file_ends_alike_everywhere(tmp_path: Path, run: Run, words: list[str]) -> None:
    """3 when it is not there, 2 when it is a directory."""
    assert "nothing.yaml" in run(*words, str(tmp_path / "nothing.yaml"), code=3).stderr
    assert "is a directory" in run(*words, str(tmp_path), code=2).stderr
