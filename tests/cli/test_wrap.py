"""``datafluid wrap``: YAML in, YAML out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import datafluid
from tests.cli.conftest import Run

JOB = """\
# train on imagenet
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: team}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: pytorch
        env: [{name: FLAG, value: "yes"}]
"""
SERVICE = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: team}\nspec: {ports: [{port: 80}]}\n"
DATASET = """\
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata: {name: imagenet, namespace: team}
spec: {mounts: [{mountPoint: "s3://imagenet"}], accessModes: [ReadWriteMany]}
"""


@pytest.fixture
def job(tmp_path: Path) -> str:
    """A file with a Job."""
    file = tmp_path / "job.yaml"
    file.write_text(JOB)
    return str(file)


def documents(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


def test_yaml_comes_out_as_the_function_gives_it(job: str, run: Run) -> None:
    """What goes with the workload first, so that it can be piped on; every value survives."""
    result = run("wrap", job, "--use", "team/imagenet,locality=require", "--use", "other/x")
    *extras, wrapped = documents(result.stdout)
    expected = datafluid.wrap(yaml.safe_load(JOB), ["team/imagenet,locality=require", "other/x"])
    assert wrapped == expected.manifest
    assert extras == list(expected.extras)
    assert wrapped["spec"]["template"]["spec"]["containers"][0]["env"][0] == {"name": "FLAG", "value": "yes"}


def test_without_uses_it_says_what_it_does(job: str, run: Run) -> None:
    assert "leave the nodes that hold caches" in run("wrap", job).stderr


def test_a_file_without_a_manifest_is_named(tmp_path: Path, run: Run) -> None:
    (tmp_path / "list.yaml").write_text("just words\n")
    assert "list.yaml, line 1: it is no manifest" in run("wrap", str(tmp_path / "list.yaml"), code=2).stderr
    told = run("apply", "-f", str(tmp_path / "list.yaml"), code=2).stderr
    assert "mapping" in told
    assert "a path that ends in" not in told


def test_wrapping_the_output_changes_nothing(job: str, run: Run) -> None:
    """Through standard input."""
    once = run("wrap", job, "--use", "team/imagenet").stdout
    assert run("wrap", "-", "--use", "team/imagenet", input=once).stdout == once


def test_wrapping_across_namespaces_again_changes_nothing(tmp_path: Path, run: Run) -> None:
    """What goes with the workloads is in the file already: once, however many workloads there are."""
    file = tmp_path / "both.yaml"
    file.write_text(f"{JOB}---\n{JOB.replace('name: train', 'name: test')}{SERVICE}")
    once = run("wrap", str(file), "--use", "other/ds").stdout
    assert [each["kind"] for each in documents(once)] == ["Dataset", "Job", "Job", "Service"]
    assert run("wrap", "-", "--use", "other/ds", input=once).stdout == once
    assert run("wrap", "-", "--use", "other/ds", "--diff", input=once).stdout == ""


def test_an_extra_of_yours_stays(run: Run, job: str) -> None:
    """What differs from it is told, on stderr."""
    once = run("wrap", job, "--use", "other/ds").stdout
    yours = once.replace("dataset://other/ds", "dataset://other/mine")
    again = run("wrap", "-", "--use", "other/ds", input=yours)
    assert again.stdout == yours
    assert "Your Dataset team/ds-from-other is there already, with another spec, and stays." in again.stderr


def test_what_makes_no_pods_passes_through(tmp_path: Path, run: Run) -> None:
    """A file may hold a Service too; a file without workloads is a mistake."""
    both = tmp_path / "both.yaml"
    both.write_text(JOB + SERVICE)
    told = run("wrap", str(both), "--use", "team/a", "--explain")
    assert [each["kind"] for each in documents(told.stdout)] == ["Job", "Service"]
    assert "Service s describes no pods, so it stays as it is." in told.stderr
    only = run("wrap", "-", "--use", "team/a", input=SERVICE, code=2)
    assert "no workload" in only.stderr


def test_explain_tells_all_and_silence_tells_what_may_surprise(job: str, tmp_path: Path, run: Run) -> None:
    """On stderr, so that the YAML can be piped; nothing is dropped without a word."""
    dataset = str(tmp_path / "dataset.yaml")
    Path(dataset).write_text(DATASET.replace("ReadWriteMany", "ReadOnlyMany"))
    use = "team/imagenet,locality=require,read_only=false"
    quiet = run("wrap", job, "--use", use, "--with", dataset)
    assert "not done: team/imagenet cannot be written" in quiet.stderr
    assert "done: spec." not in quiet.stderr
    told = run("wrap", job, "--use", use, "--with", dataset, "--explain")
    assert "done: spec.template.spec.volumes[0]: the claim of team/imagenet." in told.stderr
    assert told.stdout == quiet.stdout


def test_diff_shows_additions_only(job: str, run: Run) -> None:
    """Nothing of the user's is taken away; off a terminal there are no colours."""
    lines = run("wrap", job, "--use", "other/x", "--diff").stdout.splitlines()
    assert any(line == "+            claimName: x-from-other" or "claimName: x-from-other" in line for line in lines)
    assert not [line for line in lines if line.startswith("-") and not line.startswith("---")]
    assert not any("\x1b" in line for line in lines)


def test_the_diff_is_coloured_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Green, red, cyan; names from outside cannot add their own."""
    from datafluid.cli import output

    monkeypatch.setattr(output, "_colourful", lambda: True)
    output.paint_diff(["+new", "-old", "@@ 1 @@", " same", "+\x1b[31mevil"])
    shown = capsys.readouterr().out.splitlines()
    assert [line.startswith("\x1b[") for line in shown] == [True, True, True, False, True]
    assert "\x1b[31mevil" not in shown[4]


def test_facts_from_files_ask_no_plane(job: str, tmp_path: Path, run: Run) -> None:
    """The access modes of the dataset's manifest decide."""
    facts = tmp_path / "dataset.yaml"
    facts.write_text(DATASET)
    (wrapped,) = documents(run("wrap", job, "--use", "imagenet", "--with", str(facts)).stdout)
    assert "readOnly" not in wrapped["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]


def test_facts_from_the_plane(job: str, run: Run) -> None:
    """Where the dataset is applied nothing need be said."""
    datafluid.connect().apply(DATASET)
    (wrapped,) = documents(run("wrap", job, "--use", "imagenet").stdout)
    assert "readOnly" not in wrapped["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]


def test_each_workload_is_wrapped_with_what_is_known_in_its_namespace(run: Run) -> None:
    """Two of them in one file; the one of no namespace is the context's."""
    datafluid.connect().apply([DATASET.replace("team", "one"), DATASET.replace("team", "default")])
    places = (f"metadata: {{name: train{more}}}" for more in (", namespace: one", "", ", namespace: other"))
    text = "---\n".join(JOB.replace("metadata: {name: train, namespace: team}", place) for place in places)
    told = run("wrap", "-", "--use", "imagenet", "--explain", input=text)
    containers = [each["spec"]["template"]["spec"]["containers"][0] for each in documents(told.stdout)]
    assert ["readOnly" in each["volumeMounts"][0] for each in containers] == [False, False, True]
    assert "nothing is known of other/imagenet" in told.stderr
    assert "nothing is known of one/imagenet" not in told.stderr


def test_json(job: str, tmp_path: Path, run: Run) -> None:
    """One object, or a List."""
    assert json.loads(run("wrap", job, "--use", "team/a", "-o", "json").stdout)["kind"] == "Job"
    listed = json.loads(run("wrap", job, "--use", "other/a", "-o", "json").stdout)
    assert [each["kind"] for each in listed["items"]] == ["Dataset", "Job"]


def test_comments_and_quotes_of_yours_stay(job: str, run: Run) -> None:
    """Lines are added to the text; a kind that is only there beside it is not rewritten."""
    with open(job, "a", encoding="utf-8") as file:
        file.write(SERVICE)
    out = run("wrap", job, "--use", "other/x").stdout
    assert out.startswith("apiVersion: data.fluid.io/v1alpha1\n")
    assert "\n---\n# train on imagenet\napiVersion: batch/v1\n" in out
    assert "metadata: {name: train, namespace: team}\n" in out
    assert out.endswith(SERVICE)


def test_a_text_that_cannot_grow_is_written_anew(run: Run) -> None:
    """What is merged into another container would give that one a mount too; the loss of comments is told."""
    containers = "  containers:\n  - &c  # the first\n    name: c\n  - <<: *c\n    name: d\n"
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n{containers}"
    both = run("wrap", "-", "--use", "a", input=text)
    assert "# the first" in both.stdout
    one = run("wrap", "-", "--use", "a,containers=c", input=text)
    assert "Comments are not kept" in one.stderr
    (pod,) = documents(one.stdout)
    assert [len(each.get("volumeMounts", ())) for each in pod["spec"]["containers"]] == [1, 0]


def test_lists_in_lists_are_taken_apart(run: Run) -> None:
    """What a server sends is a PodList; each pod is wrapped in its own namespace."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "team"}}
    pods = {"apiVersion": "v1", "kind": "PodList", "items": [{**pod, "spec": {"containers": [{"name": "c"}]}}]}
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [pods]})
    (whole,) = documents(run("wrap", "-", "--use", "team/imagenet", input=listed).stdout)
    ((wrapped,),) = [each["items"] for each in whole["items"]]
    assert wrapped["metadata"] == pod["metadata"]
    assert wrapped["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "imagenet"}


def test_kustomize_writes_a_directory_that_stands_alone(job: str, tmp_path: Path, run: Run) -> None:
    """The user's file as it was, comments and all; the extras; the patch."""
    target = tmp_path / "base"
    run("wrap", job, "--use", "other/x", "-o", "kustomize", "--directory", str(target))
    assert (target / "job.yaml").read_text() == JOB
    kustomization = yaml.safe_load((target / "kustomization.yaml").read_text())
    assert kustomization["resources"] == ["job.yaml", "fluid-extras.yaml"]
    assert documents((target / "fluid-extras.yaml").read_text())[0]["kind"] == "Dataset"
    (patch,) = kustomization["patches"]
    assert {each["op"] for each in yaml.safe_load(patch["patch"])} == {"add"}


def test_kustomize_on_standard_output(job: str, run: Run) -> None:
    """One document when nothing goes with it."""
    (kustomization,) = documents(run("wrap", job, "--use", "team/a", "-o", "kustomize").stdout)
    assert kustomization["kind"] == "Kustomization"


def test_without_a_use_pods_leave_the_caches_to_others(job: str, run: Run) -> None:
    """Fluid's preference for pods without a dataset."""
    (wrapped,) = documents(run("wrap", job).stdout)
    (wish,) = wrapped["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert wish["preference"]["matchExpressions"] == [{"key": "fluid.io/dataset-num", "operator": "DoesNotExist"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--use", "team/a,localty=require"], "Did you mean locality=…?"),
        (["--use", "team/a,api=s3"], "posix, hcfs"),
        (["--use", "team/a/b"], "namespace/name"),
        (["--use", "team/a,containers=zz"], "Job train has no container 'zz'"),
        (["--use", "team/a,roles=zz"], "There are: 'pod'."),
        (["--use", "team/a", "--template", "spec.zz"], "there is nothing at spec.zz"),
        (
            ["--use", "team/a", "--template", "spec.template.spec"],
            "where the pods of a Job are, and spec.template.spec is",
        ),
    ],
)
def test_a_use_that_means_nothing_is_usage(job: str, arguments: list[str], words: str, run: Run) -> None:
    """Exit code 2, with what to write."""
    assert words in run("wrap", job, *arguments, code=2).stderr


def test_names_that_could_steer_a_terminal_do_not(tmp_path: Path, run: Run) -> None:
    """In YAML they are escapes, in words too."""
    file = tmp_path / "evil.yaml"
    file.write_text(JOB.replace("name: main", 'name: "\\e[31mmain"'))
    for arguments in ([], ["--explain"], ["--diff"], ["-o", "json"], ["-o", "kustomize"]):
        result = run("wrap", str(file), "--use", "team/a", *arguments)
        assert "\x1b" not in result.output
    refused = run("wrap", str(file), "--use", "team/a,containers=x", code=2)
    assert "\x1b" not in refused.output


def test_a_namespace_that_was_assumed_is_told(run: Run) -> None:
    """Applied elsewhere, its claim would not be there. Who says it, or needs no claim, is told nothing."""
    homeless = JOB.replace(", namespace: team", "")
    told = run("wrap", "-", "--use", "imagenet", input=homeless).stderr
    assert told.startswith("Job train names no namespace: wrapped for default.")
    assert "names no namespace" not in run("wrap", "-", "--use", "imagenet", "-n", "default", input=homeless).stderr
    assert "names no namespace" not in run("wrap", "-", "--use", "imagenet", input=JOB).stderr
    assert "names no namespace" not in run("wrap", "-", input=homeless).stderr


def test_the_place_of_a_known_kind_may_be_said_too(job: str, run: Run) -> None:
    """It changes nothing."""
    plain = run("wrap", job, "--use", "team/a").stdout
    assert run("wrap", job, "--use", "team/a", "--template", "spec.template").stdout == plain


def test_a_kind_that_nobody_knows_says_where_its_pods_are(run: Run) -> None:
    """By its path; one that leads nowhere is refused."""
    strange = "apiVersion: example.org/v1\nkind: Strange\nmetadata: {name: s}\nspec: {a: [{pod: {spec: {x: 1}}}]}\n"
    (wrapped,) = documents(run("wrap", "-", "--use", "a", "--template", "spec.a[0].pod", input=strange).stdout)
    assert "affinity" in wrapped["spec"]["a"][0]["pod"]["spec"]
    refused = run("wrap", "-", "--use", "a", "--template", "spec.b", input=strange, code=2)
    assert "--template" in refused.stderr
