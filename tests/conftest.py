"""Fixtures that every test may use: a private home, a real S3 server, a bucket."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from datafluid.testing.s3 import S3Server, serve_s3
from tests.faults.store_proxy import Proxy, serve_proxy

if TYPE_CHECKING:
    from tests.cluster.controlplane import Cluster

settings.register_profile("any machine", deadline=None)  # no test depends on how fast a machine is
settings.register_profile("fast", deadline=None, max_examples=30)
settings.load_profile("any machine")
_COUNTER = itertools.count()
_SEED = 20261124
_FAULTS = Path(__file__).parent / "faults"
_PRIVATE = (
    "DATAFLUID_CONTEXT", "DATAFLUID_NAMESPACE", "DATAFLUID_MOUNT_ROOT", "DATAFLUID_DEBUG", "KUBERNETES_SERVICE_HOST",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long`` and ``--seed``, for the attacks in tests/faults."""
    parser.addoption("--long", action="store_true", help="thousands of kill points and names, not dozens")
    parser.addoption("--seed", type=int, default=_SEED, help=f"what the attacks draw from (default {_SEED})")


def pytest_configure(config: pytest.Config) -> None:
    """Who leaves out what is slow draws fewer examples, too."""
    settings.load_profile("fast" if config.getoption("markexpr") == "not slow" else "any machine")


def pytest_report_header(config: pytest.Config) -> str:
    """Tell what the attacks draw from."""
    return f"faults: --seed {config.getoption('seed')}{' --long' if config.getoption('long') else ''}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What starts a server of another language is slow, and so are attacks; tests that share one run in one process.

    An attack that takes its time has no limit of it: whatever it waits for has one.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "long" in fixtures and config.getoption("long"):
            item.add_marker(pytest.mark.timeout(0))
        if fixtures & {"cluster", "recorded_cluster", "alluxio"} or _FAULTS in item.path.parents:
            item.add_marker(pytest.mark.slow)
        for name in fixtures & {"recorded_cluster", "alluxio"}:
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What an attack draws from; printed, so that a failure can be had again with ``--seed``."""
    drawn: int = request.config.getoption("seed")
    print(f"--seed {drawn}")
    return drawn


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the attacks take their time (``--long``)."""
    asked: bool = request.config.getoption("long")
    return asked


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private DATAFLUID_HOME and config file for each test: nothing of the user's is read or written."""
    base = tmp_path_factory.mktemp("home")
    for name in _PRIVATE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATAFLUID_HOME", str(base / "datafluid"))
    (base / "config.toml").touch()
    monkeypatch.setenv("DATAFLUID_CONFIG", str(base / "config.toml"))
    monkeypatch.setenv("KUBECONFIG", str(base / "kubeconfig"))
    return base / "datafluid"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One real S3 server for the session."""
    with serve_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real Kubernetes control plane with Fluid's API, one for each worker; skips where there is none."""
    from tests.cluster.controlplane import cluster_or_skip

    with cluster_or_skip(tmp_path_factory.mktemp("cluster")) as running:
        running.install_crds()
        yield running


@dataclass(frozen=True)
class Bucket:
    """An empty bucket of the session's server, and how to name it in manifests."""

    server: S3Server
    name: str

    @property
    def url(self) -> str:
        """``s3://bucket``."""
        return f"s3://{self.name}"

    @property
    def options(self) -> dict[str, str]:
        """Plain mount options; credentials are not among them."""
        return {
            "endpoint": self.server.endpoint,
            "region": self.server.region,
            "allow_http": "true",
            "virtual_hosted_style_request": "false",
        }

    def put(self, key: str, data: bytes) -> None:
        """Store an object."""
        self.server.put(self.name, key, data)

    def gets(self) -> list[str]:
        """Keys of this bucket that the server was asked for with GET, in order; listings are not among them."""
        prefix = f"/{self.name}/"
        self.server.settle()
        return [r.path[len(prefix) :] for r in self.server.requests("GET", below=prefix) if r.path != prefix]

    def requests(self) -> int:
        """How many requests about this bucket the server has logged."""
        self.server.settle()
        return len(self.server.requests(below=f"/{self.name}"))


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; the credentials are in the environment, as the provider's usual chain expects."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    name = s3_server.create_bucket(f"bucket-{next(_COUNTER)}")
    return Bucket(s3_server, name)


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[Proxy]:
    """The bucket's server behind a line that can lie, stall or be cut."""
    with serve_proxy(bucket.server.endpoint) as running:
        yield running
