"""Cases of the rules about operations (DF3xx)."""

from __future__ import annotations

from .case import SCRIPT, Case, after, annotated, backup, dataset, load, migrate, mounted, obj, process, runtime, script

_STORE = {"externalStorage": {"uri": "s3://bucket/old"}}
_DEMO = {"dataset": {"name": "demo", "namespace": "team"}}
_POD = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}
_STRATEGY = "spec.runAfter.affinityStrategy"
_MOUNTS = ({"mountPoint": "s3://b/1", "name": "one"}, {"mountPoint": "s3://b/2", "name": "two"})


def _clash(place: str) -> dict[str, object]:
    return {
        **_POD,
        "containers": [{"name": "main", "volumeMounts": [{"name": "scratch", "mountPath": place}]}],
    }


CASES = [
    Case(
        code="DF301",
        bad=[load(name="a" * 42, policy="Cron", schedule="@daily")],
        path="metadata.name",
        good=[load(name="a" * 42), load(name="b" * 41, policy="Cron", schedule="@daily")],
    ),
    Case(code="DF302", bad=[obj("DataLoad", {"loadMetadata": True})], path="spec", good=[load()]),
    Case(
        code="DF303",
        bad=[obj("DataLoad", {"dataset": {"name": "demo"}})],
        path="spec.dataset",
        good=[load(), backup()],
    ),
    Case(
        code="DF304",
        bad=[load(namespace="other")],
        path="spec.dataset.namespace",
        good=[load(), load(namespace=None, name="open")],
    ),
    Case(code="DF305", bad=[load(policy="OnEvent")], path="spec.policy", good=[load(policy="Once")]),
    Case(
        code="DF306",
        bad=[load(policy="Cron", schedule="")],
        path="spec.schedule",
        good=[load(policy="Cron", schedule="@daily")],
    ),
    Case(
        code="DF307",
        bad=[load(policy="Cron", schedule="0 0 3 * * *")],
        path="spec.schedule",
        good=[
            load(policy="Cron", schedule="0 3 * * *"),
            load(policy="Cron", schedule="@every 1h", name="every"),
        ],
    ),
    Case(
        code="DF308",
        bad=[load(schedule="0 3 * * *")],
        path="spec.schedule",
        good=[load(schedule="0 3 * * *", policy="Cron")],
    ),
    Case(
        code="DF309",
        plane="kubernetes",
        bad=[load(policy="Cron", schedule="@daily")],
        path="spec.schedule",
        good=[load(policy="Once")],
    ),
    Case(
        code="DF310",
        bad=[load(policy="Cron", schedule="@daily", ttlSecondsAfterFinished=60)],
        path="spec.ttlSecondsAfterFinished",
        good=[load(ttlSecondsAfterFinished=60)],
    ),
    Case(
        code="DF312",
        bad=[load(name="first"), load(name="second", **after(name="frist"))],
        document=1,
        path="spec.runAfter",
        good=[load(name="first"), load(name="second", **after())],
    ),
    Case(
        code="DF313",
        bad=[load(name="first", **after(name="second")), load(name="second", **after())],
        path="spec.runAfter",
        good=[load(name="first"), load(name="second", **after()), load(name="third", **after(name="second"))],
    ),
    Case(
        code="DF314",
        bad=[load(**after(namespace="other"))],
        path="spec.runAfter.namespace",
        good=[load(**after(namespace="team"))],
    ),
    Case(
        code="DF316",
        bad=[load(**after(affinityStrategy={"policy": "Required"}))],
        path=f"{_STRATEGY}.policy",
        good=[load(**after(affinityStrategy={"policy": "Require"}))],
    ),
    Case(
        code="DF317",
        bad=[load(**after(affinityStrategy={"policy": "Prefer"}))],
        path=_STRATEGY,
        good=[load(**after(affinityStrategy={"policy": ""}))],
    ),
    Case(
        code="DF318",
        bad=[load(runAfter=[{"kind": "DataLoad", "name": "a"}])],
        path="spec.runAfter",
        good=[load(**after())],
    ),
    Case(code="DF319", bad=[backup()], path="", good=[annotated(backup(), accept_backup="true")]),
    Case(
        code="DF345",
        bad=[{**load(name="first"), "status": {"phase": "Failed"}}, load(name="second", **after())],
        document=1,
        path="spec.runAfter",
        good=[{**load(name="first"), "status": {"phase": "Complete"}}, load(name="second", **after())],
    ),
    Case(
        code="DF346",
        bad=[annotated(backup(), accept_backup="true")],
        path="metadata.annotations",
        good=[annotated(backup(), accept_backup="no")],
    ),
    Case(code="DF320", bad=[backup("s3://bucket/x")], path="spec.backupPath", good=[backup("local:///backup")]),
    Case(code="DF321", bad=[process(job={})], path="spec.processor.job", good=[process(job={"podSpec": _POD})]),
    Case(
        code="DF322",
        bad=[process(job={"podSpec": _POD}, script=SCRIPT)],
        path="spec.processor",
        good=[process(job={"podSpec": _POD})],
    ),
    Case(
        code="DF323",
        bad=[process(serviceAccountName="x")],
        path="spec.processor",
        good=[process(script=SCRIPT)],
    ),
    Case(
        code="DF324",
        bad=[script(image="busybox:1.36", imageTag=None)],
        path="spec.processor.script",
        good=[script()],
    ),
    Case(code="DF325", bad=[script(source=" ")], path="spec.processor.script.source", good=[script(source=":")]),
    Case(
        code="DF326",
        bad=[process(job={"podSpec": {**_POD, "restartPolicy": "Always"}})],
        path="spec.processor.job.podSpec.restartPolicy",
        good=[process(job={"podSpec": {**_POD, "restartPolicy": "OnFailure"}})],
    ),
    Case(
        code="DF327",
        bad=[process(job={"podSpec": _clash("/data/")})],
        path="spec.processor.job.podSpec.containers[0].volumeMounts[0].mountPath",
        good=[process(job={"podSpec": _clash("/data/scratch")})],
    ),
    Case(
        code="DF328",
        bad=[load("/a&b")],
        path="spec.target[0].path",
        good=[load("/a+b"), load("/a=b,c", name="x")],
    ),
    Case(code="DF329", bad=[load("/a:b")], path="spec.target[0].path", good=[load("/a-b")]),
    Case(code="DF347", bad=[load("/a/../b")], path="spec.target[0].path", good=[load("/a..b")]),
    Case(
        code="DF330",
        bad=[dataset(), load("/train")],
        document=1,
        path="spec.target[0].path",
        good=[
            dataset(),
            load("/data/train", "/"),
            load("/train", dataset={"name": "other", "namespace": "team"}, name="x"),
        ],
    ),
    Case(
        code="DF348",
        plane="embedded",
        bad=[dataset({"mountPoint": "https://example.com/x", "name": "x"}), load()],
        document=1,
        path="spec",
        good=[dataset({"mountPoint": "https://example.com/x", "name": "x"}), load("/x/a.csv")],
    ),
    Case(
        code="DF331",
        bad=[dataset(*_MOUNTS), runtime("JindoRuntime"), load()],
        document=2,
        path="spec",
        good=[dataset(*_MOUNTS), runtime("JindoRuntime"), load("/one", "/two")],
    ),
    Case(
        code="DF332",
        bad=[dataset(), runtime(), load(options={"threads": "50"})],
        document=2,
        path="spec.options",
        good=[dataset(), runtime("JuiceFSRuntime"), load(options={"threads": "50"})],
    ),
    Case(
        code="DF333",
        bad=[dataset(), runtime("ThinRuntime", profileName="nfs"), load()],
        document=2,
        path="kind",
        good=[dataset(), runtime("ThinRuntime", profileName="nfs"), script()],
    ),
    Case(code="DF334", bad=[migrate({**_STORE, **_DEMO})], path="spec.from", good=[migrate()]),
    Case(code="DF335", bad=[migrate({})], path="spec.from", good=[migrate(_STORE)]),
    Case(
        code="DF336",
        bad=[migrate(_DEMO, _DEMO)],
        path="spec.to",
        good=[
            migrate(
                {"dataset": {**_DEMO["dataset"], "path": "/a"}},
                {"dataset": {**_DEMO["dataset"], "path": "/b"}},
            )
        ],
    ),
    Case(
        code="DF337",
        bad=[migrate(parallelism=2)],
        path="spec.parallelism",
        good=[migrate(parallelism=2, parallelOptions={"sshSecretName": "ssh"}), migrate(parallelism=1)],
    ),
    Case(
        code="DF338",
        bad=[migrate({"externalStorage": {"uri": "s3://AKIA:hunter2@bucket/x"}})],
        path="spec.from.externalStorage.uri",
        good=[
            migrate(parallelism=2, parallelOptions={"sshSecretName": "ssh"}),
            load(options={"threadNum": "5"}),
        ],
    ),
    Case(
        code="DF339",
        bad=[dataset(name="imagenet"), load(dataset={"name": "imagnet", "namespace": "team"})],
        document=1,
        path="spec.dataset",
        good=[dataset(name="imagenet"), load(dataset={"name": "flights", "namespace": "team"})],
    ),
    Case(
        code="DF342",
        bad=[migrate(_STORE, {"externalStorage": {"uri": "s3://b/new"}})],
        path="spec",
        good=[migrate()],
    ),
    Case(code="DF343", plane="embedded", bad=[script()], path="kind", good=[load()]),
    Case(
        code="DF344",
        bad=[process(job={"podSpec": {"restartPolicy": "Never"}})],
        path="spec.processor.job.podSpec",
        good=[process(job={"podSpec": _POD}), mounted("s3://b/x")],
    ),
]
