"""The oldest official client that is supported: the conformance suite passes with it as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.controlplane import Cluster

_ROOT = Path(__file__).parents[2]
OLDEST = _ROOT / ".cache" / "oldest"


@pytest.mark.skipif(not OLDEST.is_dir(), reason="needs kubernetes 30 in .cache/oldest: run `make setup-oldest`")
def test_the_suite_passes_with_kubernetes_30(cluster: Cluster) -> None:
    """In a process of its own, against this test's cluster."""
    environment = os.environ | {"PYTHONPATH": str(OLDEST), "DATAFLUID_TEST_KUBECONFIG": str(cluster.kubeconfig)}
    which = "import kubernetes; print(kubernetes.__version__)"
    told = subprocess.run([sys.executable, "-c", which], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("30.")
    suite = ["tests/cluster/test_contract.py", "-k", "TestKubernetes and not Async and not Own"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
