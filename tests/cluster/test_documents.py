"""What the documents say about clusters, typed as it stands: a real API server, Fluid's controllers played."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cluster.clusters import on_a_server
from tests.cluster.controlplane import Cluster
from tests.house.test_documents import REPOSITORY, run_document


@pytest.mark.parametrize("document", ["README.md", "docs/guides/kubernetes.md"])
def test_the_blocks_for_clusters_run(cluster: Cluster, document: str, tmp_path: Path) -> None:
    """With a context named prod, as the text has it."""
    namespace = cluster.namespace("docs")
    for number in range(3):
        cluster.node(f"{namespace}-{number}")
    Path(os.environ["DATAFLUID_CONFIG"]).write_text(
        f'[contexts.prod]\nplane = "kubernetes"\nkubeconfig = "{cluster.kubeconfig}"\nnamespace = "{namespace}"\n'
    )
    with on_a_server(cluster, namespace):
        told = run_document(REPOSITORY / document, tmp_path, DATAFLUID_DOCUMENTS_CLUSTER="1")
    assert "Bound" in told
