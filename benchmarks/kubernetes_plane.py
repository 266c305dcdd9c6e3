"""What the Kubernetes plane costs a client: watching thousands of datasets, and reading one.

python -m benchmarks.kubernetes_plane [--small] [--json FILE]

Against a real API server on this machine. A watch is measured in CPU time of this process: the server's is the same
for all. Every lane sees the same objects as plain values; the peers are the official client's own watch over
dictionaries, lightkube and kr8s. A ``get`` is measured by the clock, beside the bare HTTP call.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.program import main
from benchmarks.races import Lane, Race, Table, run_race, tell
from datafluid.model.kinds import GROUP, VERSION
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster.binaries import MISSING, find
from tests.cluster.controlplane import Cluster, serve_cluster

_WRITERS = 8
_NOTE = "x" * 500  # datasets in real life carry annotations, and a status


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is watched.

    Args:
        datasets: How many there are.
        changes: How many of them change.
        gets: Reads in one run.
        rounds: How often each race is run.
    """

    datasets: int = 5_000
    changes: int = 1_000
    gets: int = 200
    rounds: int = 7


SMALL = Sizes(datasets=40, changes=10, gets=5, rounds=2)


def measure(sizes: Sizes) -> list[Table]:
    """A first look at everything, changes as they come, and one object."""
    table = Table("Kubernetes plane")
    if not (os.environ.get("DATAFLUID_TEST_KUBECONFIG") or find()):
        tell(f"Left out: it {MISSING}.")
        return [table]
    with tempfile.TemporaryDirectory() as directory, serve_cluster(Path(directory)) as cluster:
        cluster.install_crds()
        stage = _Stage(cluster, cluster.namespace("benchmark"), sizes)
        tell(f"Creating {sizes.datasets} datasets …")
        stage.fill()
        first = Race(
            name=f"watch {sizes.datasets} datasets: what there is (CPU)",
            ours=Lane(label="KubernetesPlane.watch", work=lambda: stage.look(None)),
            peers=[
                Lane(label=label, work=lambda watch=watch: _names(watch(None), sizes.datasets), bound=bound)  # type: ignore[misc]
                for label, (watch, bound) in stage.peers.items()
            ],
            clock=time.process_time,
        )
        table.results += run_race(first, sizes.rounds)
        table.results += run_race(stage.changing(), sizes.rounds)
        table.results += run_race(stage.getting(), sizes.rounds)
        stage.close()
    return [table]


class _Stage:
    """A namespace full of datasets, and everybody who looks at it."""

    def __init__(self, cluster: Cluster, namespace: str, sizes: Sizes) -> None:
        self.namespace = namespace
        self.sizes = sizes
        self.plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
        self._official = _official(str(cluster.kubeconfig))
        self._lightkube, self._kr8s = _peers(str(cluster.kubeconfig))
        self._turn = 0
        self._since = ""
        self.peers: dict[str, tuple[Callable[[str | None], Iterator[str]], float]] = {
            "official client, dictionaries": (self._watch_officially, 1.2),
            "lightkube": (self._watch_lightkube, 1.0),
            "kr8s": (self._watch_kr8s, 1.0),
        }

    def fill(self) -> None:
        """Create the datasets."""
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(self.plane.create, map(self._dataset, range(self.sizes.datasets))))

    def look(self, since: str | None) -> int:
        """Ours, over as many as a peer sees."""
        count = self.sizes.datasets if since is None else self.sizes.changes
        events = self.plane.watch("Dataset", namespace=self.namespace, since=since)
        return _names((e.object["metadata"]["name"] for e in events if e.type != "BOOKMARK"), count, events)

    def change(self) -> None:
        """Change some of them, and remember the version before."""
        self._turn += 1
        self._since = self._version()
        patch = {"metadata": {"labels": {"turn": str(self._turn)}}}
        refs = [Ref("Dataset", _name(number), self.namespace) for number in range(self.sizes.changes)]
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(lambda ref: self.plane.patch(ref, patch), refs))

    def changing(self) -> Race:
        """The race over changes."""
        count = self.sizes.changes
        return Race(
            name=f"watch {self.sizes.datasets} datasets: {count} changes (CPU)",
            ours=Lane(label="KubernetesPlane.watch", work=lambda: self.look(self._since), prepare=self.change),
            peers=[
                Lane(
                    label=label,
                    work=lambda watch=watch: _names(watch(self._since), count),  # type: ignore[misc]
                    prepare=self.change,
                    bound=bound,
                )
                for label, (watch, bound) in self.peers.items()
            ],
            clock=time.process_time,
        )

    def getting(self) -> Race:
        """The race over one object."""
        ref = Ref("Dataset", _name(0), self.namespace)
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/datasets/{ref.name}"
        url = self._official.configuration.host + path
        headers = {"Accept": "application/json"}
        self._official.update_params_for_auth(headers, [], ["BearerToken"])
        pool = self._official.rest_client.pool_manager

        def bare() -> list[str]:
            answers = (pool.request("GET", url, headers=headers) for _ in range(self.sizes.gets))
            return [json.loads(each.data)["metadata"]["uid"] for each in answers]

        return Race(
            name=f"get one dataset, {self.sizes.gets} times",
            ours=Lane(
                label="KubernetesPlane.get",
                work=lambda: [self.plane.get(ref)["metadata"]["uid"] for _ in range(self.sizes.gets)],
            ),
            peers=[Lane(label="urllib3 and json, bare", work=bare, bound=1.2)],
        )

    def close(self) -> None:
        """Let the official client go."""
        self._official.close()

    def _version(self) -> str:
        from kubernetes import client

        custom = client.CustomObjectsApi(self._official)
        page: dict[str, Any] = custom.list_namespaced_custom_object(GROUP, VERSION, self.namespace, "datasets", limit=1)
        return str(page["metadata"]["resourceVersion"])

    def _watch_officially(self, since: str | None) -> Iterator[str]:
        from kubernetes import client, watch

        custom = client.CustomObjectsApi(self._official)
        options = {} if since is None else {"resource_version": since}
        stream = watch.Watch().stream(
            custom.list_namespaced_custom_object, GROUP, VERSION, self.namespace, "datasets", **options
        )
        with closing(stream) as events:
            for event in events:
                yield event["object"]["metadata"]["name"]

    def _watch_lightkube(self, since: str | None) -> Iterator[str]:
        from lightkube.generic_resource import create_namespaced_resource

        kind = create_namespaced_resource(GROUP, VERSION, "Dataset", "datasets")
        events = self._lightkube.watch(kind, namespace=self.namespace, resource_version=since)
        with closing(events):  # type: ignore[type-var]
            for _, found in events:
                yield found.metadata.name  # type: ignore[union-attr,misc]

    def _watch_kr8s(self, since: str | None) -> Iterator[str]:
        with closing(self._kr8s.watch(f"datasets.{GROUP}", namespace=self.namespace, since=since)) as events:
            for _, found in events:
                yield found.name

    def _dataset(self, number: int) -> dict[str, Any]:
        name = _name(number)
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Dataset",
            "metadata": {"name": name, "namespace": self.namespace, "annotations": {"note": _NOTE}},
            "spec": {"mounts": [{"mountPoint": f"s3://bucket/{name}", "name": name}]},
        }


def _official(kubeconfig: str) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    config.load_kube_config(kubeconfig, client_configuration=configuration)
    return client.ApiClient(configuration)


def _peers(kubeconfig: str) -> tuple[Any, Any]:
    """The clients of lightkube and kr8s."""
    import kr8s
    import lightkube

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # kr8s has not seen this version of Kubernetes
        return lightkube.Client(lightkube.KubeConfig.from_file(kubeconfig)), kr8s.api(kubeconfig=kubeconfig)


def _name(number: int) -> str:
    return f"dataset-{number:05}"


def _names(names: Iterator[str], count: int, stream: Any = None) -> int:
    """Take so many, and say how many different ones there were; then let go."""
    try:
        return len(set(islice(names, count)))
    finally:
        (stream or names).close()


if __name__ == "__main__":
    raise SystemExit(main(measure, Sizes(), SMALL, None))
