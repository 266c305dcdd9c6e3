"""CustomResourceDefinitions of others, from the Go modules that ship them: pinned, fetched once, never copied here."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

__all__ = ["MODULES", "definitions"]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a definition has up to a megabyte

#: Module and version, and where in it the definitions are.
MODULES = {
    "spark": ("github.com/kubeflow/spark-operator/v2@v2.4.0", "config/crd/bases"),
    "spark-2.3": ("github.com/kubeflow/spark-operator/v2@v2.3.0", "config/crd/bases"),
    "training": ("github.com/kubeflow/training-operator@v1.9.3", "manifests/base/crds"),
    "mpi": ("github.com/kubeflow/mpi-operator@v0.6.0", "manifests/base"),
    "trainer-2.0": ("github.com/kubeflow/trainer/v2@v2.0.0", "manifests/base/crds"),
    "trainer-2.1": ("github.com/kubeflow/trainer/v2@v2.1.0", "manifests/base/crds"),
    "trainer-2.2": ("github.com/kubeflow/trainer/v2@v2.2.0", "manifests/base/crds"),
    "ray": ("github.com/ray-project/kuberay/ray-operator@v1.5.0", "config/crd/bases"),
    "jobset": ("sigs.k8s.io/jobset@v0.8.0", "config/components/crd/bases"),
    "lws": ("sigs.k8s.io/lws@v0.6.0", "config/crd/bases"),
    "argo": ("github.com/argoproj/argo-workflows/v3@v3.6.5", "manifests/base/crds/full"),
    "volcano": ("volcano.sh/volcano@v1.10.0", "config/crd/volcano/bases"),
    "kserve": ("github.com/kserve/kserve@v0.14.0", "config/crd/full"),
}


@functools.cache
def definitions(name: str) -> dict[str, dict[str, Any]]:
    """The definitions of a module by their kinds; skips the test where Go or its proxy is not at hand."""
    module, below = MODULES[name]
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((_directory(module) / below).glob("*.yaml")):
        for each in yaml.load_all(file.read_text(encoding="utf-8"), Loader=_Loader):
            if isinstance(each, dict) and each.get("kind") == "CustomResourceDefinition":
                each["spec"].pop("conversion", None)  # by a webhook of the operator, which does not run here
                for version in each["spec"]["versions"]:
                    _open_ends(version["schema"]["openAPIV3Schema"])
                found[each["spec"]["names"]["kind"]] = each
    assert found, f"{module} has no definitions in {below}"
    return found


def _open_ends(schema: dict[str, Any]) -> None:
    """Give a schema that says nothing the words for it; Argo leaves them to its kustomization."""
    for below in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(below, dict):
            _open_ends(below)
    if schema.get("type") == "array" and "items" not in schema:
        schema["items"] = {"x-kubernetes-preserve-unknown-fields": True}
    if not schema.keys() - {"description"}:
        schema["x-kubernetes-preserve-unknown-fields"] = True


def _directory(module: str) -> Path:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("needs Go for the CRDs of others: install Go 1.24 or later")
    done = subprocess.run(
        [go, "mod", "download", "-json", module],
        capture_output=True,
        text=True,
        timeout=240,
        cwd="/",
        env={**os.environ, "GOFLAGS": "-mod=mod"},
    )
    answer = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        pytest.skip(f"needs the Go module {module}: {answer.get('Error', done.stderr)[:200]}")
    return Path(answer["Dir"])
