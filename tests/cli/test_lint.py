"""``datafluid lint`` and ``datafluid crds``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run

CLEAN = """\
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata: {name: flights, namespace: default}
spec:
  mounts: [{mountPoint: "s3://flights", name: flights, path: "/"}]
"""
BROKEN = CLEAN.replace("mountPoint:", "mountpoint:")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest file without faults that are errors."""
    file = tmp_path / "flights.yaml"
    file.write_text(CLEAN)
    return file


def test_errors_are_exit_code_1_with_place_code_and_hint(tmp_path: Path, run: Run) -> None:
    """file:line: severity code path: message, then the hint."""
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)
    result = run("lint", str(file), code=1)
    assert f"{file}:5: error DF" in result.stdout
    assert "mountPoint" in result.stdout
    assert "1 file: " in result.stderr


def test_json_has_every_field_of_every_finding(tmp_path: Path, run: Run) -> None:
    """For programs; the exit code is the same."""
    file = tmp_path / "broken.yaml"
    file.write_text(CLEAN + "---\n" + BROKEN.replace("flights, n", "other, n"))
    findings = json.loads(run("lint", str(file), "-o", "json", code=1).stdout)
    errors = [finding for finding in findings if finding["severity"] == "error"]
    assert {"file", "code", "severity", "path", "message", "hint", "document", "line", "object"} == set(errors[0])
    assert {finding["document"] for finding in errors} == {1}


def test_standard_input_is_a_file_too(run: Run) -> None:
    """`-`."""
    assert "-:5: error" in run("lint", "-", input=BROKEN, code=1).stdout


def test_a_file_that_is_not_there_is_exit_code_3(manifest: Path, tmp_path: Path, run: Run) -> None:
    """The others are still looked at."""
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    result = run("lint", str(tmp_path / "nothing.yaml"), str(tmp_path / "bytes.yaml"), str(manifest), code=3)
    assert "nothing.yaml" in result.stderr
    assert "not UTF-8 text" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("1 file: ")  # the one that was read
    assert "file:" not in run("lint", str(tmp_path / "nothing.yaml"), code=3).stderr


def test_strict_makes_warnings_count(tmp_path: Path, run: Run) -> None:
    """A warning is exit code 0, with --strict 1."""
    file = tmp_path / "warned.yaml"
    file.write_text(CLEAN.replace("namespace: default", "namespace: default, annotations: {datafluid.io/refesh: open}"))
    result = run("lint", str(file))
    assert "warning DF020" in result.stdout
    run("lint", "--strict", str(file), code=1)


def test_findings_cannot_steer_the_terminal(tmp_path: Path, run: Run) -> None:
    """Names in manifests come from outside."""
    file = tmp_path / "hostile.yaml"
    file.write_text(BROKEN.replace("mountpoint:", '"mount\\e[2Jpoint":'))
    assert "\x1b[2J" not in run("lint", str(file), code=1).output


def test_crds_are_definitions_of_every_kind(run: Run) -> None:
    """YAML documents, a List in JSON, names by -o name; some kinds only when they are named."""
    documents = list(yaml.safe_load_all(run("crds").stdout))
    assert len(documents) == 14
    assert {each["kind"] for each in documents} == {"CustomResourceDefinition"}
    listed = json.loads(run("crds", "dataset", "load", "-o", "json").stdout)
    assert [each["spec"]["names"]["kind"] for each in listed["items"]] == ["Dataset", "DataLoad"]
    assert run("crds", "alluxio", "-o", "name").stdout == "alluxioruntimes.data.fluid.io\n"
