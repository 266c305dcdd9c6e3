"""Jindo's Hadoop client in a pod: the class that reads ``jindo://``, and where its masters are.

It is read only where a use says ``via=engine``: it needs Jindo's own SDK on the class path, and, unlike a mount, the
keys of the store. Those come from a Secret of yours and are never written here.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from datafluid.model.plain import as_map, as_text, look
from datafluid.workload.agreement import agreed
from datafluid.workload.draft import Draft
from datafluid.workload.facts import DatasetFacts
from datafluid.workload.resolve import Resolved

__all__ = ["NEEDS", "client_keys", "engine_uri"]

#: What the pod needs beside the keys.
NEEDS = (
    "It needs JindoSDK (jindo-core and jindo-sdk) on the class path, and the store's keys from a Secret of yours, for"
    " OSS fs.oss.accessKeyId, fs.oss.accessKeySecret and fs.oss.endpoint; via=mount needs neither."
)
_CLASSES = {
    "fs.jindo.impl": "com.aliyun.jindodata.jindo.JindoFileSystem",
    "fs.AbstractFileSystem.jindo.impl": "com.aliyun.jindodata.jindo.JINDO",
}
_FSX = "4."  # releases of that number call the engine so; later ones, Fluid's default among them, JindoCache


def engine_uri(facts: DatasetFacts, path: str, domain: str) -> str:
    """The root of a dataset for Jindo's client: the first master; all of them are in its settings.

    Example:
        >>> facts = DatasetFacts(namespace="t", name="a", runtime_type="jindo", endpoint="a-jindofs-master-0.t:81")
        >>> engine_uri(facts, "", "cluster.local")
        'jindo://a-jindofs-master-0.t.svc.cluster.local:81/'
    """
    return f"jindo://{_addresses(facts, domain)[0]}/{quote(path)}"


def client_keys(draft: Draft, used: Iterable[Resolved], domain: str) -> dict[str, str]:
    """The classes, where the masters are, and what the runtimes say to their own clients."""
    engines = [each.physical for each in used if each.physical is not None]
    said = [
        {
            "fs.xengine": (engine := _engine(facts)),
            f"fs.{engine}.namespace.rpc.address": ",".join(_addresses(facts, domain)),
            f"fs.{engine}.data.cache.enable": "true",
            **as_map(look(facts.runtime, ("fuse", "properties"))),
        }
        for facts in engines
    ]
    spoken = [{key: value for key, value in each.items() if _is_the_clients(str(key))} for each in said]
    return {**_CLASSES, **agreed(draft, spoken, prefix="fs.")} if engines else {}


def _is_the_clients(key: str) -> bool:
    """Settings of the client; what else a runtime may say of stores could be a secret."""
    return key.startswith(("fs.xengine", "fs.jindocache.", "fs.jindofsx.")) and "access" not in key.lower()


def _engine(facts: DatasetFacts) -> str:
    return "jindofsx" if as_text(look(facts.runtime, ("jindoVersion", "imageTag"))).startswith(_FSX) else "jindocache"


def _addresses(facts: DatasetFacts, domain: str) -> list[str]:
    return [f"{host}:{facts.master_port}" for host in facts.master_hosts(domain)]
