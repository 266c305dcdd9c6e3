"""Lint as a whole: sources, planes, hostile input, secrets, and its reference page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datafluid.errors import NotFound
from datafluid.model.lint import RULES, lint
from datafluid.model.lint.credentials import has_credentials, is_credential_name
from datafluid.model.lint.facts import FLUID_KINDS
from datafluid.model.lint.reference import reference
from datafluid.model.lint.subject import Subject
from datafluid.model.node_report import Disk, NodeReport

from .case import (
    after,
    annotated,
    backup,
    bound,
    dataset,
    level,
    load,
    migrate,
    mounted,
    namespace,
    obj,
    pod,
    runtime,
    script,
    surroundings,
    text_of,
)
from .test_rules import CASES

ROOT = Path(__file__).parents[3]


def codes(source: Any, **options: Any) -> list[str]:
    return [finding.code for finding in lint(source, **options)]


def test_a_good_manifest_is_clean() -> None:
    """Dataset, runtime and cron load in order: not a word."""
    good = [
        dataset(),
        runtime(),
        annotated(load("/data", policy="Cron", schedule="0 3 * * *"), time_zone="Asia/Shanghai"),
    ]
    assert lint(text_of(good)) == []


def test_takes_text_paths_objects_and_any_number_of_them(tmp_path: Path) -> None:
    """The same objects give the same findings however they arrive."""
    objects = [dataset(name="1a"), runtime(name="1a")]
    text = text_of(objects)
    file = tmp_path / "demo.yaml"
    file.write_text(text)
    expected = ["DF101", "DF101"]
    assert codes(text) == codes(file) == codes(objects) == codes(iter(objects)) == expected
    assert codes(objects[0]) == ["DF101", "DF121"]
    assert [finding.document for finding in lint([text, text_of([dataset(name="1b")])])] == [0, 1, 2, 2]


def test_findings_without_text_have_no_line() -> None:
    """An object that never was text has a path only."""
    (finding,) = [each for each in lint(dataset(name="1a")) if each.code == "DF101"]
    assert (finding.line, finding.path, finding.document) == (None, "metadata.name", 0)


def test_items_of_a_list_are_objects_too() -> None:
    """What ``kubectl get -o yaml`` prints is linted item by item."""
    listed = {"apiVersion": "v1", "kind": "List", "items": [dataset(), runtime(), load(namespace="other")]}
    assert [(finding.code, finding.path) for finding in lint(text_of([listed]))] == [
        ("DF304", "items[2].spec.dataset.namespace")
    ]


def test_text_that_is_no_yaml_is_a_finding() -> None:
    """Broken text is reported like any other mistake, with nothing else."""
    assert codes("a: [1\n") == ["DF001"]


def test_what_a_cluster_does_wrong_is_milder_elsewhere() -> None:
    """On one machine a trap of clusters is a warning, so it does not stop apply there."""
    long = load(name="a" * 50)
    severities = {plane: [each.severity for each in lint(long, plane=plane)] for plane in ("kubernetes", "embedded")}
    assert severities == {"kubernetes": ["error"], "embedded": ["warning"]}
    assert [each.severity for each in lint(long)] == ["error"]


def test_what_one_machine_cannot_mean_is_told_there_only() -> None:
    """Replicas and network modes are facts for the embedded plane and nothing for a cluster."""
    many = [dataset(), runtime(replicas=3)]
    assert codes(many, plane="embedded") == ["DF217"]
    assert codes(many, plane="kubernetes") == codes(many) == []


@pytest.mark.parametrize(
    "made",
    [
        mounted("s3://AKIAKEY:hunter2@bucket/x"),
        mounted("pvc://a:hunter2@disk"),
        backup("s3://a:hunter2@bucket"),
        mounted("https://host/x?X-Amz-Signature=hunter2&a=b"),
        mounted("s3://bucket/x", options={"aws.secretKey": "hunter2", "token": "hunter2"}),
        mounted("juicefs:///x", options={"metaurl": "redis://:hunter2@host/1"}),
        dataset(sharedOptions={"fs.s3a.secret.key": "hunter2"}),
        runtime(properties={"aws.secretKey": "hunter2"}),
        runtime("JuiceFSRuntime", fuse={"options": {"secret-key": "hunter2"}}),
        load(options={"accessKeySecret": "hunter2"}),
        migrate({"externalStorage": {"uri": "oss://id:hunter2@bucket/x"}}),
        obj(
            "Dataset",
            {"mounts": [{"mountPoint": ["s3://a:hunter2@b"], "options": {"password": ["hunter2"]}}]},
        ),
    ],
)
def test_secrets_are_found_and_never_repeated(made: Any) -> None:
    """A credential in plain text is an error, and its value is in no finding, whatever else is wrong."""
    found = lint(text_of([made]))
    assert any(finding.severity == "error" for finding in found)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("aws.accessKeyId", True),
        ("fs.oss.accessKeySecret", True),
        ("access-key", True),
        ("SECRET_KEY", True),
        ("azure_storage_sas_token", True),
        ("account_key", True),
        ("passphrase", True),
        ("aws.region", False),
        ("fs.s3a.endpoint", False),
        ("sshSecretName", False),
        ("alluxio.underfs.gcs.credential.path", False),
        ("fs.s3a.aws.credentials.provider", False),
        ("key", False),
        ("tokenizer.file", False),
    ],
)
def test_names_of_credentials(name: str, secret: bool) -> None:
    """All spellings in use are known; names that only sound alike are not."""
    assert is_credential_name(name) == secret


def test_odd_urls_are_no_credentials_and_no_crash() -> None:
    """What urllib refuses is not a secret either."""
    assert not has_credentials("http://[::1/x?sig=1")
    assert has_credentials("https://host/?sig=1")
    assert not has_credentials("https://host/?sig=")


def test_names_with_terminal_escapes_are_quoted() -> None:
    """No control character of the input reaches a message, a hint or a path."""
    evil = "\x1b[31mred\x07\u202e"
    objects = [
        obj(evil, {}),
        dataset({"mountPoint": evil, "name": evil}, {"mountPoint": f"local:{evil}", "name": evil}, name=evil),
        runtime(name=evil, fuse={"cleanPolicy": evil}),
        level(quota=evil, high=evil),
        load(
            evil,
            name=evil,
            namespace=evil,
            schedule=evil,
            policy="Cron",
            runAfter={"kind": evil, "name": evil},
        ),
        obj(
            "Dataset",
            metadata={"labels": {evil: evil}, "annotations": {f"datafluid.io/{evil}": evil}},
            name=evil,
        ),
        pod(evil, labels={"fluid.io/dataset.x.sched": evil, evil: evil}),
    ]
    for finding in lint(objects):
        for text in (finding.message, finding.hint, finding.path):
            assert text.isprintable(), finding.code


_scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=8))
_json = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _mutated(made: Any, path: list[int], value: Any) -> Any:
    """The object with one node, chosen by the path, replaced."""
    if not path or not isinstance(made, dict | list) or not made:
        return value
    key = list(made)[path[0] % len(made)] if isinstance(made, dict) else path[0] % len(made)
    copy = dict(made) if isinstance(made, dict) else list(made)
    copy[key] = _mutated(made[key], path[1:], value)
    return copy


_objects = [each for case in CASES if not isinstance(case.bad, str) for each in case.bad]
_wild = st.builds(_mutated, st.sampled_from(_objects), st.lists(st.integers(0, 7), min_size=1, max_size=7), _json)


@given(
    st.lists(_wild | st.dictionaries(st.text(max_size=8), _json), max_size=4),
    st.sampled_from([None, "embedded", "kubernetes"]),
)
@example([runtime(), {**dataset(), "kind": "\x1f"}], None)
@settings(max_examples=4 * settings().max_examples, deadline=None)
def test_nothing_makes_lint_fail(objects: list[Any], plane: Any) -> None:
    """Manifests that are wrong through and through are reported, not raised."""
    wild = [each if isinstance(each, dict) else {"kind": each} for each in objects]
    around = surroundings([], ("team/keys",))
    around = replace(around, objects={kind: tuple(Subject(data=each) for each in wild) for kind in around.objects})
    for finding in [*lint(wild, plane=plane), *lint(wild, plane=plane, surroundings=around)]:
        assert finding.message
        assert finding.path.isprintable()
        assert finding.message.isprintable()
        assert finding.hint.isprintable()


@given(st.sampled_from(CASES), st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_hide_a_mistake(case: Any, random: Any) -> None:
    """Whichever way round the objects come, the same rule speaks up."""
    if isinstance(case.bad, str):
        return
    shuffled = list(case.bad)
    random.shuffle(shuffled)
    assert case.code in codes(shuffled, plane=case.plane, surroundings=case.bad_surroundings)


def test_linting_twice_says_the_same() -> None:
    """Lint changes nothing of what it is given."""
    objects = [backup(), script(image=None), dataset(), runtime()]
    before = text_of(objects)
    assert lint(objects) == lint(objects)
    assert text_of(objects) == before


def test_a_source_that_is_none_is_an_error() -> None:
    """A number is no manifest, and a missing file is missing."""
    assert codes(42) == ["DF001"]
    with pytest.raises(NotFound):
        lint(Path("no-such-file.yaml"))
    with pytest.raises(NotFound):
        lint("no-such-file.yaml")


def test_the_reference_page_is_up_to_date() -> None:
    """``docs/reference/lint.md`` is what the table says."""
    page = ROOT / "docs" / "reference" / "lint.md"
    assert page.read_text() == reference(), "run: python -m datafluid.model.lint.reference > docs/reference/lint.md"


def test_rules_name_kinds_that_exist() -> None:
    """A misspelled kind would make a rule that never fires."""
    for rule in RULES:
        assert set(rule.kinds) <= set(FLUID_KINDS)
        assert re.fullmatch(r"[A-Z].*", rule.title) or rule.title.startswith("tieredstore")


def test_a_disk_is_as_large_as_its_agent_says() -> None:
    """What is free below the path of a level comes from the agent's report, not from Kubernetes."""
    gi = 1 << 30
    disk = Disk(device="8:1", medium="SSD", filesystem="ext4", capacity=1000 * gi, free=50 * gi, mounts=("/ssd",))
    report = NodeReport(node="n0", as_of="2026-01-01T00:00:00+00:00", disks=(disk,)).config_map()
    for quota, expected in (("100Gi", ["DF520"]), ("40Gi", [])):
        made = [dataset(), runtime("AlluxioRuntime", {"mediumtype": "SSD", "path": "/ssd/cache", "quota": quota})]
        found = lint(made, surroundings=surroundings([report, namespace()]))
        assert [each.code for each in found] == expected
        assert all("50.00GiB" in each.message and "'n0'" in each.message for each in found)


def test_what_the_cluster_has_need_not_be_in_the_source() -> None:
    """A load of a dataset that is there, after an operation that is there, is right; one of nothing is told."""
    around = surroundings([bound(dataset()), runtime(), load(name="first"), namespace()])
    assert codes([load(runAfter={"kind": "DataLoad", "name": "first"})], surroundings=around) == []
    assert codes([migrate()], surroundings=around) == ["DF333"]
    assert codes([load(runAfter={"kind": "DataLoad", "name": "second"})], surroundings=around) == ["DF312"]
    assert codes([load()], surroundings=surroundings([namespace()])) == ["DF339"]
    assert codes([dataset()], surroundings=surroundings([runtime(), namespace()])) == []


def test_a_neighbour_in_the_cluster_is_in_the_way_too() -> None:
    """A second runtime of one name, and a dataset of another namespace with the same label keys."""
    around = surroundings(
        [runtime("JuiceFSRuntime"), bound(dataset(name="b-c", namespace="a")), namespace(), namespace("a-b")]
    )
    assert codes([runtime(), dataset()], surroundings=around) == ["DF203"]
    (found,) = lint([dataset(name="c", namespace="a-b"), runtime(name="c", namespace="a-b")], surroundings=around)
    assert (found.code, "a/b-c" in found.message) == ("DF120", True)


def test_what_would_wait_for_ever_behind_what_is_there_is_told() -> None:
    """A circle through an operation of the cluster, and one of it that has failed; a source that mends it counts."""
    there = [load(name="second", **after(name="first")), {**load(name="bad"), "status": {"phase": "Failed"}}]
    around = surroundings([bound(dataset()), runtime(), namespace(), *there])
    assert codes([load(name="first", **after(name="second"))], surroundings=around) == ["DF313"]
    assert codes([load(name="next", **after(name="bad"))], surroundings=around) == ["DF345"]
    assert codes([load(name="bad"), load(name="next", **after(name="bad"))], surroundings=around) == []
