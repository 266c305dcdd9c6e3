"""etcd, API server, scheduler and controller manager: which arguments make them a control plane for tests."""

from __future__ import annotations

import secrets
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cluster.api import Api, Refused
from tests.cluster.processes import Process, eventually, free_ports

__all__ = ["Programs"]

_MASTERS = "system:masters"
_ATTEMPTS = 3  # a port that was free may be taken before its program listens


class Programs:
    """The four processes below one directory.

    Args:
        binaries: Where the programs are.
        directory: For their certificates, logs and data.
    """

    def __init__(self, binaries: Path, directory: Path) -> None:
        self._binaries = binaries
        self._directory = directory
        self._tokens: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._admin = self.add_token("admin", _MASTERS)
        self._started: list[Process] = []
        self.audit_log = directory / "audit.log"

    def start(self) -> Api:
        """Start them all and wait until they are ready."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._write_files()
        for attempt in range(_ATTEMPTS):
            try:
                return self._start(*free_ports(3))
            except RuntimeError:
                self.stop()
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """Stop them, the API server first: it would wait for etcd."""
        for process in (*self._started[1:], *self._started[:1]):
            process.kill()
        self._started.clear()

    @property
    def api_server(self) -> Process:
        """The API server."""
        return self._started[1]

    def restart_controllers(self) -> None:
        """Start scheduler and controller manager anew: after an outage they would be silent for up to a minute."""
        for process in self._started[2:]:
            process.kill()
            process.start()

    def wait_until_ready(self, api: Api) -> None:
        """Wait until the API server says that it is ready."""

        def ready() -> bool:
            try:
                return bool(api.get("/readyz")) and bool(api.get("/api/v1/namespaces/default"))
            except (OSError, Refused):
                return False

        eventually(ready, alive=self._started[:2])

    def add_token(self, user: str, *groups: str) -> str:
        """A token that the API server knows from its next start on."""
        token = secrets.token_hex(16)
        self._tokens[token] = (user, groups)
        self._write_tokens()
        return token

    def forget_token(self, token: str) -> None:
        """The API server does not know it any more from its next start on."""
        del self._tokens[token]
        self._write_tokens()

    def _start(self, etcd_port: int, peer_port: int, port: int) -> Api:
        server = f"https://127.0.0.1:{port}"
        etcd = f"http://127.0.0.1:{etcd_port}"
        certificate = self._directory / "certs" / "apiserver.crt"
        self._run("etcd", *self._etcd_arguments(etcd, f"http://127.0.0.1:{peer_port}"))
        self._run("kube-apiserver", *self._api_server_arguments(etcd, port))
        eventually(lambda: certificate.exists() and "END" in certificate.read_text(), alive=self._started)
        api = Api(server=server, authority=certificate.read_text(), token=self._admin)
        for name in ("scheduler", "controller-manager"):
            mine = api.write_kubeconfig(self._directory / f"{name}.kubeconfig")
            self._run(f"kube-{name}", "--kubeconfig", str(mine), "--leader-elect=false", *self._arguments_of(name))
        self.wait_until_ready(api)
        return api

    def _run(self, program: str, *arguments: str) -> None:
        process = Process([str(self._binaries / program), *arguments], self._directory / f"{program}.log")
        process.start()
        self._started.append(process)

    def _etcd_arguments(self, client: str, peer: str) -> list[str]:
        return [
            f"--data-dir={self._directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        ]

    def _api_server_arguments(self, etcd: str, port: int) -> list[str]:
        key = self._directory / "service-accounts.key"
        return [
            f"--etcd-servers={etcd}",
            f"--secure-port={port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._directory / 'certs'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={self._directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged",
            f"--audit-policy-file={self._directory / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-mode=blocking",
        ]

    def _arguments_of(self, name: str) -> list[str]:
        """Nodes have no kubelet whose silence would matter; nobody serves metrics."""
        if name == "scheduler":
            return ["--secure-port=0"]
        key = self._directory / "service-accounts.key"
        return [
            "--secure-port=0",
            "--controllers=*,-node-lifecycle-controller",
            f"--service-account-private-key-file={key}",
        ]

    def _write_files(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        (self._directory / "service-accounts.key").write_bytes(pem)
        # One line for each request, when it arrives: a watch is told of before it ends.
        rules = [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata", "omitStages": ["ResponseStarted", "ResponseComplete", "Panic"]},
        ]
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}
        (self._directory / "audit-policy.yaml").write_text(yaml.safe_dump(policy))
        self._write_tokens()

    def _write_tokens(self) -> None:
        if self._directory.is_dir():
            lines = [f'{token},{user},{user},"{",".join(groups)}"' for token, (user, groups) in self._tokens.items()]
            (self._directory / "tokens.csv").write_text("\n".join(lines) + "\n")
