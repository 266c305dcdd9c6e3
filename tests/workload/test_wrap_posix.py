"""Files in pods: volumes, mounts, environment, modes, prefetching, and what protects FUSE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from datafluid.errors import Invalid
from datafluid.model.manifest import load
from datafluid.workload import DatasetFacts, DatasetUse, Prefetch, Topology, Wrapped, wrap
from fluid_fsspec import FluidFileSystem


def pod(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    base = {"containers": [{"name": "main", "image": "i"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "team", **metadata},
        "spec": {**base, **(spec or {})},
    }


@pytest.mark.parametrize("wrong", [None, "x", 5, [pod()]])
def test_what_is_no_manifest_is_told(wrong: Any) -> None:
    with pytest.raises(Invalid, match="is no workload"):
        wrap(wrong, ["a/b"])


def test_one_use_may_stand_alone() -> None:
    assert wrap(pod(), "a/b") == wrap(pod(), DatasetUse("a/b")) == wrap(pod(), ["a/b"])


def knowing(*, name: str = "a", **facts: Any) -> Topology:
    return Topology(datasets={f"team/{name}": DatasetFacts(namespace="team", name=name, **facts)})


def mounts(wrapped: Wrapped, container: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wrapped.manifest["spec"]["containers"][container].get("volumeMounts", [])
    return found


def messages(wrapped: Wrapped, *what: Any) -> str:
    return "\n".join(str(entry) for entry in wrapped.report.of(*what))


def test_a_dataset_is_one_volume_however_many_mounts() -> None:
    """Two containers and two sub-paths share the volume with the claim."""
    both = pod({"containers": [{"name": "a"}, {"name": "b"}]})
    wrapped = wrap(both, [DatasetUse("a", sub_path="train"), DatasetUse("a", mount_path="/all")])
    assert wrapped.manifest["spec"]["volumes"] == [{"name": "fluid-a", "persistentVolumeClaim": {"claimName": "a"}}]
    for container in (0, 1):
        assert sorted((mount["mountPath"], mount.get("subPath")) for mount in mounts(wrapped, container)) == [
            ("/all", None),
            ("/mnt/fluid/team/a/train", "train"),
        ]


def test_the_volume_that_you_have_is_used() -> None:
    """A second volume of one claim would be one too many."""
    mine = pod({"volumes": [{"name": "mine", "persistentVolumeClaim": {"claimName": "a"}}]})
    wrapped = wrap(mine, ["a"])
    assert wrapped.manifest["spec"]["volumes"] == mine["spec"]["volumes"]
    assert mounts(wrapped)[0]["name"] == "mine"


def test_a_slash_at_the_end_is_the_same_place() -> None:
    """Your own mount of the dataset is completed as it is spelled; another's is in the way."""
    mine = {"name": "d", "mountPath": "/mnt/fluid/team/a/"}
    claim = {"name": "d", "persistentVolumeClaim": {"claimName": "a"}}
    container = {"name": "main", "volumeMounts": [mine]}
    wrapped = wrap(pod({"containers": [container], "volumes": [claim]}), ["a"])
    assert mounts(wrapped) == [{**mine, "mountPropagation": "HostToContainer"}]
    other = wrap(pod({"containers": [container], "volumes": [{"name": "d", "emptyDir": {}}]}), ["a"])
    assert mounts(other) == [mine]
    assert "you mount another directory" in messages(other, "not done")


def test_a_mount_inside_of_a_read_only_one_is_told() -> None:
    """No directory can be made there to mount on; a dataset that can be written takes it."""
    scratch = {"name": "s", "mountPath": "/data/cache"}
    mine = pod(
        {"containers": [{"name": "main", "volumeMounts": [scratch]}], "volumes": [{"name": "s", "emptyDir": {}}]}
    )
    assert "/data/cache is mounted inside of /data" in messages(wrap(mine, ["a:/data"]), "warning")
    writable = wrap(mine, ["a:/data"], topology=knowing(access_modes=("ReadWriteMany",)))
    assert "mounted inside of" not in messages(writable, "warning")
    assert "/data/b is mounted inside of /data" in messages(wrap(pod(), ["a:/data", "b:/data/b"]), "warning")
    assert "mounted inside of" not in messages(wrap(pod(), ["a:/data", "a:/data/b,sub_path=b"]), "warning")


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    """The volume gets the next free name."""
    wrapped = wrap(pod({"volumes": [{"name": "fluid-a", "emptyDir": {}}]}), ["a"])
    assert [volume["name"] for volume in wrapped.manifest["spec"]["volumes"]] == ["fluid-a", "fluid-a-2"]
    assert mounts(wrapped)[0]["name"] == "fluid-a-2"


def test_only_the_named_containers_mount() -> None:
    """Init containers only when they are named."""
    several = pod({"containers": [{"name": "main"}, {"name": "side"}], "initContainers": [{"name": "fetch"}]})
    wrapped = wrap(several, [DatasetUse("a", containers=("main", "fetch"))])
    spec = wrapped.manifest["spec"]
    assert "volumeMounts" in spec["containers"][0]
    assert "volumeMounts" not in spec["containers"][1]
    assert "volumeMounts" in spec["initContainers"][0]
    assert "volumeMounts" not in wrap(several, ["a"]).manifest["spec"]["initContainers"][0]


@pytest.mark.parametrize(
    ("use", "problem", "there"),
    [
        (DatasetUse("a", containers=("main", "mian")), "Pod p has no container 'mian'", "There are: 'main'."),
        (DatasetUse("a", roles=("worker",)), "Pod p has no role 'worker'", "There are: 'pod'."),
    ],
)
def test_a_container_or_role_that_is_not_there_is_refused(use: DatasetUse, problem: str, there: str) -> None:
    """With the names that there are."""
    with pytest.raises(Invalid, match=problem) as caught:
        wrap(pod(), [use])
    assert caught.value.hint == there


@pytest.mark.parametrize(
    ("modes", "asked", "read_only"),
    [
        (None, None, True),
        (("ReadOnlyMany",), None, True),
        (("ReadWriteMany",), None, False),
        (("ReadWriteMany",), True, True),
        (("ReadOnlyMany",), False, True),
        (None, False, False),
    ],
)
def test_read_only_follows_the_access_modes(modes: Any, asked: bool | None, read_only: bool) -> None:
    """What is not known is taken for Fluid's default; what the modes forbid is not promised."""
    wrapped = wrap(pod(), [DatasetUse("a", read_only=asked)], topology=knowing(access_modes=modes))
    assert mounts(wrapped)[0].get("readOnly", False) is read_only


def test_writing_what_can_only_be_read_is_reported_with_the_cure() -> None:
    """The access modes are the dataset's, so the fix is its YAML."""
    wrapped = wrap(pod(), [DatasetUse("a", read_only=False)], topology=knowing(access_modes=("ReadOnlyMany",)))
    assert "cannot be written" in messages(wrapped, "not done")
    assert "accessModes: [ReadWriteMany]" in messages(wrapped, "not done")


def test_a_repaired_mount_reaches_the_pod() -> None:
    """Fluid repairs FUSE on the node; only with propagation the pod sees it."""
    assert mounts(wrap(pod(), ["a"]))[0]["mountPropagation"] == "HostToContainer"


def with_scratch(path: str, *, containers: int = 1) -> dict[str, Any]:
    """A pod whose first container has a directory of its own at a path."""
    first = {"name": "c0", "volumeMounts": [{"name": "scratch", "mountPath": path}]}
    others = [{"name": f"c{number}"} for number in range(1, containers)]
    return pod({"containers": [first, *others], "volumes": [{"name": "scratch", "emptyDir": {}}]})


def test_your_mount_of_the_dataset_gets_what_it_lacks() -> None:
    """What it says is left, and reported where it says otherwise."""
    mount = {"name": "mine", "mountPath": "/mnt/fluid/team/a", "mountPropagation": "None"}
    volumes = [{"name": "mine", "persistentVolumeClaim": {"claimName": "a"}}]
    wrapped = wrap(pod({"containers": [{"name": "main", "volumeMounts": [mount]}], "volumes": volumes}), ["a"])
    assert mounts(wrapped) == [mount]
    assert "another mountPropagation" in messages(wrapped, "not done")
    mounted = wrap(pod({"containers": [{"name": "main", "volumeMounts": [mount | {"mountPropagation": None}]}],
                        "volumes": volumes}), ["a"])  # fmt: skip
    assert mounts(mounted) == [mount | {"mountPropagation": "HostToContainer"}]


@pytest.mark.parametrize("use", ["a", "a,sub_path=train", "a:/data", "other/a", "a,api=hcfs", "a,locality=require"])
def test_a_dataset_that_can_be_mounted_nowhere_is_not_wrapped_by_half(use: str) -> None:
    """No volume, affinity, label, reference or configuration; and the report says so."""
    place = DatasetUse.parse(use).mount_path or f"/mnt/fluid/{'other' if '/' in use else 'team'}/a"
    place += "/train" if "sub_path" in use else ""
    mine = with_scratch(place)
    wrapped = wrap(mine, [use], mode="serverful")
    assert "you mount another directory" in messages(wrapped, "not done")
    left = wrapped.manifest
    assert left["spec"]["containers"][0].pop("env", None) == (
        None if ":" in use else [{"name": "DATAFLUID_MOUNTS", "value": f"{place[11:17].rstrip('/')}=/dev/null"}]
        if place.startswith("/mnt/fluid/team") else [{"name": "DATAFLUID_MOUNTS", "value": "other/a=/dev/null"}]
    )  # fmt: skip
    assert left == mine
    assert wrapped.extras == ()


def test_the_mount_route_does_not_take_your_directory_for_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``fluid://`` in that container goes another way, here to the embedded plane, where there is no such dataset."""
    monkeypatch.setattr("datafluid.workload.resolve.MOUNT_ROOT", str(tmp_path))
    monkeypatch.setattr("datafluid.workload.posix.MOUNT_ROOT", str(tmp_path))
    monkeypatch.setenv("DATAFLUID_MOUNT_ROOT", str(tmp_path))
    (tmp_path / "team" / "a").mkdir(parents=True)
    (tmp_path / "team" / "a" / "x.txt").write_text("not the dataset's")
    wrapped = wrap(with_scratch(str(tmp_path / "team" / "a")), ["a"])
    for variable in wrapped.manifest["spec"]["containers"][0]["env"]:
        monkeypatch.setenv(variable["name"], variable["value"])
    with pytest.raises(FileNotFoundError):
        FluidFileSystem(skip_instance_cache=True).cat_file("fluid://team/a/x.txt")


def test_a_container_whose_place_is_taken_does_not_keep_the_others_from_the_dataset() -> None:
    """The second container has the mount and the environment; the first keeps what it has."""
    wrapped = wrap(with_scratch("/mnt/fluid/team/a", containers=2), ["a", "b"])
    assert [mount["mountPath"] for mount in mounts(wrapped)] == ["/mnt/fluid/team/a", "/mnt/fluid/team/b"]
    assert [mount["mountPath"] for mount in mounts(wrapped, 1)] == ["/mnt/fluid/team/a", "/mnt/fluid/team/b"]
    first, second = ({each["name"]: each for each in c["env"]} for c in wrapped.manifest["spec"]["containers"])
    assert first["DATAFLUID_MOUNTS"]["value"] == "team/a=/dev/null"
    assert first["DATAFLUID_MOUNT_ROOT"] == second["DATAFLUID_MOUNT_ROOT"]
    assert "DATAFLUID_MOUNTS" not in second


@pytest.mark.parametrize("where", ["containers", "initContainers"])
@pytest.mark.parametrize("what", [{"name": "a"}, "a", {}, 1])
def test_what_is_no_list_of_containers_is_refused(where: str, what: Any) -> None:
    """With its place: nothing is written into it."""
    with pytest.raises(Invalid, match=rf"spec\.{where} is not a list"):
        wrap(pod({where: what}), ["a"])


@pytest.mark.parametrize("source", [{"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "a"}}])
def test_a_volume_whose_name_is_none_changes_no_law(source: dict[str, Any]) -> None:
    """What the server will refuse anyway is left as it is, and wrapping again changes nothing."""
    once = wrap(pod({"volumes": [{"name": [], **source}]}), ["a"]).manifest
    assert wrap(once, ["a"]).manifest == once


def test_an_extra_that_is_there_is_not_added_again() -> None:
    """The same is left out; another one of its name stays, and the report says what differs."""
    (extra,) = wrap(pod(), ["other/a"]).extras
    again = wrap(pod(), ["other/a"], beside=[{"kind": None}, {"kind": "Dataset", "metadata": []}, extra])
    assert again.extras == ()
    assert not again.report.of("not done")
    yours = {**extra, "spec": {"mounts": [{"mountPoint": "s3://b"}]}}
    wrapped = wrap(pod(), ["other/a"], beside=[yours])
    assert wrapped.extras == ()
    assert "Your Dataset team/a-from-other is there already, with another spec" in messages(wrapped, "not done")


def test_your_mount_is_not_made_read_only_by_a_guess() -> None:
    """Of a dataset of which nothing is known; where its access modes are known, or you say so, they count."""
    mine = pod(
        {
            "containers": [{"name": "main", "volumeMounts": [{"name": "x", "mountPath": "/mnt/fluid/team/a"}]}],
            "volumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "a"}}],
        }
    )
    assert "readOnly" not in mounts(wrap(mine, ["a"]))[0]
    assert mounts(wrap(mine, ["a"], topology=knowing(access_modes=("ReadOnlyMany",))))[0]["readOnly"] is True
    assert mounts(wrap(mine, [DatasetUse("a", read_only=True)]))[0]["readOnly"] is True


@pytest.mark.parametrize("name", ["a..b", "a.-b", "a" * 254, "team/a./b"])
def test_a_name_that_kubernetes_refuses_is_none(name: str) -> None:
    """Rather than a claim, or a reference, that cannot be made."""
    with pytest.raises(Invalid, match="is no dataset"):
        DatasetUse(name)


def test_two_datasets_cannot_have_one_place() -> None:
    """Kubernetes would refuse it, so we do."""
    with pytest.raises(Invalid, match="both to be mounted at /data"):
        wrap(pod(), [DatasetUse("a", mount_path="/data"), DatasetUse("b", mount_path="/data")])


@pytest.mark.parametrize("mount_path", [None, "elsewhere"])
def test_the_environment_is_what_the_mount_route_finds(
    mount_path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in the container reads ``fluid://`` from the mount, at its usual place and at any other."""
    monkeypatch.setattr("datafluid.workload.resolve.MOUNT_ROOT", str(tmp_path))
    monkeypatch.setattr("datafluid.workload.posix.MOUNT_ROOT", str(tmp_path))
    wanted = DatasetUse("team/a", mount_path=str(tmp_path / mount_path) if mount_path else None)
    container = wrap(pod(), [wanted]).manifest["spec"]["containers"][0]
    place = Path(container["volumeMounts"][0]["mountPath"])
    place.mkdir(parents=True)
    (place / "x.txt").write_text("hello")
    for variable in container["env"]:
        field = {"metadata.namespace": "team"}
        value = variable.get("value") or field[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        monkeypatch.setenv(variable["name"], value)
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat_file("fluid:///a/x.txt") == b"hello"
    assert fs.explain("fluid://team/a/x.txt").route == "mount"


def test_a_sub_path_is_mounted_where_its_uri_is() -> None:
    """``fluid://team/a/train/x`` is ``/mnt/fluid/team/a/train/x``, with only ``train`` mounted."""
    (mount,) = mounts(wrap(pod(), [DatasetUse("a", sub_path="train")]))
    assert (mount["mountPath"], mount["subPath"]) == ("/mnt/fluid/team/a/train", "train")


def test_variables_of_yours_stay() -> None:
    """And the report says what they keep from working."""
    mine = [{"name": "DATAFLUID_MOUNT_ROOT", "value": "/mine"}]
    wrapped = wrap(pod({"containers": [{"name": "main", "env": mine}]}), ["a"])
    assert wrapped.manifest["spec"]["containers"][0]["env"][0] == mine[0]
    assert "another value" in messages(wrapped, "not done")


def test_the_sidecar_modes_label_the_pod_and_say_what_they_need() -> None:
    """The native sidecar is a setting of the cluster, so its YAML is in the report."""
    for mode, label in (("serverful", "fuse.serverful.fluid.io/inject"), ("serverless", "serverless.fluid.io/inject")):
        wrapped = wrap(pod(), ["a"], mode=mode)  # type: ignore[arg-type]
        assert wrapped.manifest["metadata"]["labels"] == {label: "true"}
    native = wrap(pod(), ["a"], mode="native-sidecar")
    assert native.manifest["metadata"]["labels"] == {"serverless.fluid.io/inject": "true"}
    (entry,) = [entry for entry in native.report if "native sidecars" in entry.message]
    values = yaml.safe_load(entry.fix)
    assert values == {"webhook": {"fuseSidecar": {"sidecarInjectionMode": "native-sidecar"}}}


def test_a_runtime_without_a_sidecar_is_reported() -> None:
    """The webhook would let the pod pass unchanged, silently."""
    wrapped = wrap(pod(), ["a"], mode="serverless", topology=knowing(runtime_type="efc"))
    assert "has no sidecar" in messages(wrapped, "not done")


def test_prefetch_annotations_are_what_the_prefetcher_reads() -> None:
    """Claims and globs of all uses in one list."""
    files = [
        DatasetUse("a", prefetch=Prefetch(files=("train/*.tar",), image="prefetcher:1", timeout=600)),
        DatasetUse("b", prefetch=Prefetch()),
    ]
    wrapped = wrap(pod(), files, mode="serverful")
    prefix = "file-prefetcher.fluid.io/"
    assert wrapped.manifest["metadata"]["annotations"] == {
        f"{prefix}inject": "true",
        f"{prefix}file-list": "pvc://a/train/*.tar;pvc://b/**",
        f"{prefix}async-prefetch": "false",
        f"{prefix}prefetch-timeout-seconds": "600",
        f"{prefix}image": "prefetcher:1",
    }


def test_prefetching_without_the_webhook_is_not_promised() -> None:
    """Nobody would add the prefetcher."""
    wrapped = wrap(pod(), [DatasetUse("a", prefetch=Prefetch())])
    assert "annotations" not in wrapped.manifest["metadata"]
    assert 'mode="serverful"' in messages(wrapped, "not done")


@pytest.mark.parametrize(
    ("name", "value"), [("prefetch-timeout-seconds", "10m"), ("async-prefetch", "yes"), ("extra-envs", "A=1  B=2")]
)
def test_a_bad_annotation_of_yours_is_told(name: str, value: str) -> None:
    """It switches all injection off, and the webhook only logs it."""
    annotations = {"file-prefetcher.fluid.io/inject": "true", f"file-prefetcher.fluid.io/{name}": value}
    wrapped = wrap(pod(annotations=annotations), ["a"], mode="serverful")
    assert "injects nothing at all" in messages(wrapped, "warning")
    assert wrapped.manifest["metadata"]["annotations"] == annotations


@pytest.mark.parametrize(
    ("runtime_type", "spec", "problem"),
    [
        ("alluxio", {"replicas": 1}, "BestEffort"),
        ("alluxio", {"fuse": {"resources": {"requests": {"memory": "1Gi"}}}}, "Burstable"),
        ("juicefs", {"fuse": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "4Gi"}}}}, "Burstable"),
        ("cache", {"runtimeClassName": "c"}, "BestEffort"),
    ],
)
def test_a_fuse_client_without_memory_of_its_own_is_told_with_the_manifest_that_mends_it(
    runtime_type: str, spec: dict[str, Any], problem: str
) -> None:
    """The YAML is the runtime's own kind, is valid, and makes the QoS Guaranteed: the warning goes away."""
    topology = knowing(runtime_type=runtime_type, runtime=spec)
    (entry,) = [entry for entry in wrap(pod(), ["a"], topology=topology).report if problem in entry.message]
    fix = {"apiVersion": "data.fluid.io/v1alpha1", **yaml.safe_load(entry.fix)}
    if runtime_type == "cache":
        fix["spec"]["runtimeClassName"] = "c"
    assert load([fix])
    mended = knowing(runtime_type=runtime_type, runtime={**spec, **fix["spec"]})
    assert not [entry for entry in wrap(pod(), ["a"], topology=mended).report if "QoS" in entry.message]


def test_alluxio_gets_memory_for_the_heap_that_it_is_given() -> None:
    """A limit below the heap would kill it sooner."""
    spec = {"fuse": {"jvmOptions": ["-Xmx8G", "-XX:MaxDirectMemorySize=10g"]}}
    wrapped = wrap(pod(), ["a"], topology=knowing(runtime_type="alluxio", runtime=spec))
    assert "memory: 19Gi" in messages(wrapped, "warning")


def test_priority_is_set_where_there_is_none() -> None:
    """Yours stays."""
    assert wrap(pod(), ["a"], priority_class="high").manifest["spec"]["priorityClassName"] == "high"
    wrapped = wrap(pod({"priorityClassName": "mine"}), ["a"], priority_class="high")
    assert wrapped.manifest["spec"]["priorityClassName"] == "mine"
    assert "mine" in messages(wrapped, "not done")
    presto = wrap({"image": {"repository": "prestodb/presto"}}, ["team/a"], priority_class="high")
    assert "cannot be said here" in messages(presto, "not done")


def test_a_dataset_of_another_namespace_comes_with_a_reference() -> None:
    """The claim is the reference's, the path and the URI stay the owner's; what was made is a valid Dataset."""
    topology = Topology(
        datasets={"other/a": DatasetFacts(namespace="other", name="a", access_modes=("ReadWriteMany",))}
    )
    wrapped = wrap(pod(), ["other/a"], topology=topology)
    (extra,) = wrapped.extras
    assert load([extra])
    assert extra["metadata"] == {"name": "a-from-other", "namespace": "team"}
    assert extra["spec"] == {"mounts": [{"mountPoint": "dataset://other/a"}], "accessModes": ["ReadWriteMany"]}
    assert wrapped.manifest["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "a-from-other"}
    assert mounts(wrapped)[0]["mountPath"] == "/mnt/fluid/other/a"


def test_a_reference_that_is_there_is_used() -> None:
    """No second one."""
    there = DatasetFacts(namespace="team", name="ours", physical=("other", "a", ""))
    topology = Topology(datasets={"team/ours": there})
    wrapped = wrap(pod(), ["other/a"], topology=topology)
    assert wrapped.extras == ()
    assert wrapped.manifest["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "ours"}


def test_a_reference_to_a_reference_points_at_what_holds_the_bytes() -> None:
    """Fluid nests none."""
    topology = Topology(
        datasets={"other/a": DatasetFacts(namespace="other", name="a", physical=("deep", "b", "sub/dir"))}
    )
    (extra,) = wrap(pod(), ["other/a"], topology=topology).extras
    assert extra["spec"]["mounts"] == [{"mountPoint": "dataset://deep/b/sub/dir"}]


def test_a_long_name_is_still_one() -> None:
    """Names of volumes and references fit into 63 characters and stay apart."""
    long = "a" * 40
    wrapped = wrap(pod(), [f"{'n' * 40}/{long}", f"{'m' * 40}/{long}"])
    names = [extra["metadata"]["name"] for extra in wrapped.extras]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in [*names, *(v["name"] for v in wrapped.manifest["spec"]["volumes"])])


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "A", "team/", "/a", "team/a:data", "team/a:/x/../y", "team/a,api=s3", "team/a,locality=must",
        "team/a,sub_path=/x", "team/a,nothing", "team/a,colour=red", "team/a,read_only=yes", "a/b/c",
        "fluid://", "fluid://team", "fluid:///", "s3://team/a", "fluid://team/a/../b", "fluid://team/a/x,sub_path=y",
        "team/a:/x,mount_path=/y", "a,api=hcfs,api=posix",
    ],
)  # fmt: skip
def test_uses_that_mean_nothing_are_refused(text: str) -> None:
    """With what to write."""
    with pytest.raises(Invalid) as caught:
        DatasetUse.parse(text)
    assert caught.value.hint


def test_a_use_is_read_as_it_is_written() -> None:
    """The command line's form."""
    parsed = DatasetUse.parse(
        "team/a:/data,api=hcfs,via=mount,locality=require,sub-path=x/y,containers=a+b,read_only=true"
    )
    assert parsed == DatasetUse(
        "team/a",
        mount_path="/data",
        api="hcfs",
        via="mount",
        locality="require",
        sub_path="x/y",
        containers=("a", "b"),
        read_only=True,
    )
    assert DatasetUse.parse("a,prefetch=train/*+val/*").prefetch == Prefetch(files=("train/*", "val/*"))
    assert DatasetUse.parse("a,prefetch_image=p:1").prefetch == Prefetch(image="p:1")


def test_names_stay_as_short_as_kubernetes_wants_them() -> None:
    """A workload's name may have 253 characters, and so may that of the ConfigMap beside it."""
    wrapped = wrap(pod(name="x" * 250), ["a,api=hcfs"])
    (config,) = [each for each in wrapped.extras if each["kind"] == "ConfigMap"]
    assert len(config["metadata"]["name"]) == 253
    volumes = wrapped.manifest["spec"]["volumes"]
    assert {"name": config["metadata"]["name"]} in [each.get("configMap") for each in volumes]


def test_a_uri_is_a_dataset_and_its_path_the_sub_path() -> None:
    """On the command line and in Python."""
    assert DatasetUse("fluid://team/a") == DatasetUse("team/a")
    assert DatasetUse("fluid://team/a/x/y/") == DatasetUse("team/a", sub_path="x/y")
    assert DatasetUse("fluid:///a/x", sub_path="x") == DatasetUse("a", sub_path="x")
    parsed = DatasetUse.parse("fluid://team/a/x:/data,locality=require")
    assert parsed == DatasetUse("team/a", sub_path="x", mount_path="/data", locality="require")
    assert wrap(pod(), ["fluid://team/a"]) == wrap(pod(), ["team/a"])
