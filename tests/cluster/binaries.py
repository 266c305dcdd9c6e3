"""The programs of a real Kubernetes control plane: found, or built once from pinned Go modules.

``python -m tests.cluster.binaries`` (``make setup-cluster``) builds them into the user's cache directory, below a key
made of the pins, so that every checkout shares them. Tests only look for what is there: a build takes minutes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["MISSING", "PROGRAMS", "build", "find"]

_MODULE = Path(__file__).parents[2] / "tools" / "controlplane"
PROGRAMS = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}
MISSING = (
    "needs a Kubernetes control plane: run `make setup-cluster` (Go 1.26 or newer, about ten minutes, once), or set"
    " KUBEBUILDER_ASSETS to a directory with " + ", ".join(PROGRAMS) + ", or DATAFLUID_TEST_KUBECONFIG to a cluster"
)


def find(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The directory that has all programs: ``KUBEBUILDER_ASSETS``, else what was built; None when there is none."""
    for directory in (environ.get("KUBEBUILDER_ASSETS"), _built()):
        if directory and all(os.access(Path(directory, name), os.X_OK) for name in PROGRAMS):
            return Path(directory)
    return None


def build() -> Path:
    """Build what is missing, one builder at a time; returns the directory.

    Raises:
        subprocess.CalledProcessError: Go could not build it; what it said went to standard error.
    """
    target = _built()
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if find({}) is None:
            with tempfile.TemporaryDirectory(dir=target.parent) as making:
                for name, package in PROGRAMS.items():
                    _compile(package, Path(making, name))
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(making, target)
    return target


def _built() -> Path:
    pins = b"".join((_MODULE / name).read_bytes() for name in ("go.mod", "go.sum"))
    return user_cache_path("datafluid") / "controlplane" / hashlib.sha256(pins).hexdigest()[:16]


def _compile(package: str, output: Path) -> None:
    began = time.monotonic()
    print(f"building {output.name} …", flush=True)
    nice = ["nice"] if shutil.which("nice") else []
    command = [*nice, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", _linker_flags(), "-o", str(output)]
    environment = os.environ | {"CGO_ENABLED": "0"}
    subprocess.run([*command, package], cwd=_MODULE, env=environment, check=True)
    print(f"built {output.name} in {time.monotonic() - began:.0f} s", flush=True)


def _linker_flags() -> str:
    """Kubernetes checks its own version, which only a link flag tells it."""
    pinned = re.search(r"k8s\.io/kubernetes v((\d+)\.(\d+)\.\S+)", (_MODULE / "go.mod").read_text())
    assert pinned, "go.mod pins k8s.io/kubernetes"
    values = {"gitVersion": f"v{pinned[1]}", "gitMajor": pinned[2], "gitMinor": pinned[3]}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())])


def main() -> None:
    """Build, or say why not; the tests that need it are skipped then."""
    if found := find():
        print(f"Kubernetes control plane: {found}")
        return
    if not shutil.which("go"):
        sys.exit("Go is not installed; the tests that need a Kubernetes control plane will be skipped.")
    try:
        print(f"Kubernetes control plane: {build()}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[-1]} could not be built; the tests that need a control plane will be skipped.")


if __name__ == "__main__":
    main()
