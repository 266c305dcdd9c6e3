"""How a cluster is reached: a kubeconfig's context, or the pod's own service account."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import as_list, as_map, as_text

__all__ = ["Access", "KubeContext", "in_cluster_namespace", "is_in_cluster", "kube_contexts"]

#: What the official clients raise, besides their own error, for files that are no kubeconfig.
_MALFORMED = (OSError, TypeError, ValueError, KeyError, AttributeError)
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_DEFAULT = "~/.kube/config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where credentials come from. Nothing is read before the first request.

    Args:
        kubeconfig: A file; None takes ``KUBECONFIG`` or ``~/.kube/config``.
        context: One of its contexts; None takes its current one.
        in_cluster: Use the pod's service account, and no kubeconfig.

    Example:
        >>> str(Access(context="prod"))
        'context prod of the kubeconfig'
    """

    kubeconfig: str | None = None
    context: str | None = None
    in_cluster: bool = False

    def __str__(self) -> str:
        if self.in_cluster:
            return "this pod's service account"
        which = f"context {self.context}" if self.context else "the current context"
        return f"{which} of {self.kubeconfig or 'the kubeconfig'}"

    @contextmanager
    def used(self, error: type[Exception]) -> Iterator[None]:
        """Around what reads a configuration, or gets credentials by it.

        Args:
            error: What the official client raises where they cannot be used.

        Raises:
            Invalid: they cannot.
        """
        from yaml import YAMLError

        try:
            yield
        except (error, YAMLError, *_MALFORMED) as unusable:
            raise Invalid(
                f"{self}: {unusable}", hint="See `datafluid contexts` and `kubectl config get-contexts`."
            ) from unusable

    @property
    def file(self) -> str:
        """The kubeconfig, or several with colons between, with ``~`` resolved."""
        return _expanded(self.kubeconfig or os.environ.get("KUBECONFIG") or _DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeContext:
    """A context of a kubeconfig, without anything secret."""

    namespace: str | None = None
    server: str | None = None
    is_current: bool = False


def kube_contexts(kubeconfig: str | None = None, *, environ: Mapping[str, str] = os.environ) -> dict[str, KubeContext]:
    """The contexts of a kubeconfig by name; of several files the first that has a name says what it is.

    Files that are not there, or are no kubeconfig, have none.

    Args:
        kubeconfig: A file, or several with colons between; None takes ``KUBECONFIG`` or ``~/.kube/config``.
        environ: The environment.
    """
    files = _expanded(kubeconfig or environ.get("KUBECONFIG") or _DEFAULT).split(os.pathsep)
    configs = [config for file in files if file and (config := _read(Path(file)))]
    current = next((config["current-context"] for config in configs if config.get("current-context")), None)
    servers = {name: each.get("server") for name, each in _named(configs, "clusters", "cluster").items()}
    return {
        name: KubeContext(
            namespace=each.get("namespace"),
            server=servers.get(as_text(each.get("cluster"))),
            is_current=name == current,
        )
        for name, each in _named(configs, "contexts", "context").items()
    }


def is_in_cluster(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a pod that may talk to its API server."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT / "token").is_file()


def in_cluster_namespace() -> str | None:
    """The namespace of the pod that this runs in."""
    try:
        return (_ACCOUNT / "namespace").read_text().strip() or None
    except OSError:
        return None


def _named(configs: list[dict[str, Any]], plural: str, singular: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for config in configs:
        for each in as_list(config.get(plural)):
            if name := as_text(as_map(each).get("name")):
                found.setdefault(name, dict(as_map(as_map(each).get(singular))))
    return found


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) and found.get("kind", "Config") == "Config" else {}


def _expanded(files: str) -> str:
    return os.pathsep.join(os.path.expanduser(file) for file in files.split(os.pathsep))
