"""Contexts: which plane, which namespace, where mounts appear.

Precedence: argument > ``DATAFLUID_CONTEXT`` > the config file's ``default`` > the cluster of the pod that this runs
in > embedded. The config file is TOML:

    default = "laptop"

    [contexts.laptop]
    plane = "embedded"
    namespace = "team"

    [contexts.edge]
    plane = "embedded"
    home = "~/edge-cache"
    offline = "serve-stale"

    [contexts.prod]
    plane = "kubernetes"
    kube_context = "prod-eu"        # of the kubeconfig; its current one when left out
    kubeconfig = "~/.kube/prod"     # KUBECONFIG or ~/.kube/config when left out

The context ``embedded`` always exists, ``in-cluster`` does inside a pod, and so does each context of the user's
kubeconfig whose name the config file does not take. Nothing is read at import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Literal

from datafluid.configuration import config_path, read_config
from datafluid.errors import Invalid, NotFound
from datafluid.model.names import check_namespace

__all__ = ["Context", "context_names", "resolve_context"]

_EMBEDDED = "embedded"
_IN_CLUSTER = "in-cluster"
_KINDS: Mapping[str, tuple[type, str]] = {"mounts": (list, "a list"), "in_cluster": (bool, "true or false")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A place to work.

    Args:
        name: What the user calls it.
        plane: ``embedded`` or ``kubernetes``.
        namespace: The namespace of names given without one.
        mount_root: Where datasets are mounted in pods: ``<mount_root>/<namespace>/<dataset>``.
        mounts: Those that are mounted elsewhere, each as ``<namespace>/<dataset>=<path>``.
        home: The embedded plane's home directory; None takes ``DATAFLUID_HOME`` or the platform's default.
        offline: ``serve-stale`` keeps serving complete cached files while the under-store is away.
        kubeconfig: The Kubernetes plane's kubeconfig; None takes ``KUBECONFIG`` or ``~/.kube/config``.
        kube_context: Which of its contexts; None takes its current one.
        in_cluster: Use the service account of the pod that this runs in, and no kubeconfig.

    Example:
        >>> Context(name="edge", offline="serve-stale").namespace
        'default'
    """

    name: str = _EMBEDDED
    plane: Literal["embedded", "kubernetes"] = "embedded"
    namespace: str = "default"
    mount_root: str = "/mnt/fluid"
    mounts: tuple[str, ...] = ()
    home: str | None = None
    offline: Literal["fail", "serve-stale"] = "fail"
    kubeconfig: str | None = None
    kube_context: str | None = None
    in_cluster: bool = False

    @property
    def serve_stale(self) -> bool:
        """Whether complete cached files are served while the under-store is away."""
        return self.offline == "serve-stale"

    def mount_of(self, namespace: str, dataset: str) -> str:
        """Where a dataset is mounted, if it is.

        Example:
            >>> Context(mounts=("team/flights=/data",)).mount_of("team", "flights")
            '/data'
        """
        name = f"{namespace}/{dataset}"
        places = (place.partition("=") for place in self.mounts)
        return next((path for of, _, path in places if of == name and path), f"{self.mount_root}/{name}")


def resolve_context(name: str | None = None, *, environ: Mapping[str, str] | None = None) -> Context:
    """The context to use now.

    Args:
        name: A context of the config file, or ``embedded``; None follows the precedence above.
        environ: The environment; None takes the process's own. ``DATAFLUID_NAMESPACE``,
            ``DATAFLUID_MOUNT_ROOT``, ``DATAFLUID_MOUNTS`` and ``DATAFLUID_HOME`` win over what the config file says.

    Returns:
        The context, with the environment applied.

    Raises:
        NotFound: no context has that name, or ``DATAFLUID_CONFIG`` names a file that is not there.
        Invalid: the name is no text, or the config file cannot be read, or says something that no context has.

    Example:
        >>> resolve_context("embedded", environ={"DATAFLUID_NAMESPACE": "team"}).namespace
        'team'
    """
    if name is not None and not isinstance(name, str):
        raise Invalid(f"a {type(name).__name__} names no context.", hint="Give the name as text, or None.")
    environ = os.environ if environ is None else environ
    config = read_config(environ)
    chosen = name or environ.get("DATAFLUID_CONTEXT") or config.get("default") or _fallback(environ)
    settings = _settings(config, chosen, environ)
    for key, variable in (("namespace", "NAMESPACE"), ("mount_root", "MOUNT_ROOT"), ("home", "HOME")):
        if value := environ.get(f"DATAFLUID_{variable}"):
            settings[key] = value
    if value := environ.get("DATAFLUID_MOUNTS"):
        settings["mounts"] = value.split(",")
    settings["mounts"] = tuple(settings.get("mounts", ()))
    if settings.get("plane") == "kubernetes":
        settings.setdefault("namespace", _kube_namespace(settings, environ))
    check_namespace(settings.get("namespace", "default"))
    return Context(name=chosen, **settings)


def context_names(*, environ: Mapping[str, str] | None = None) -> list[str]:
    """The contexts that exist, ``embedded`` first."""
    environ = os.environ if environ is None else environ
    return _names(read_config(environ), environ)


def _fallback(environ: Mapping[str, str]) -> str:
    """Where to work when nobody says so."""
    return _IN_CLUSTER if _is_in_cluster(environ) else _EMBEDDED


def _is_in_cluster(environ: Mapping[str, str]) -> bool:
    if not environ.get("KUBERNETES_SERVICE_HOST"):
        return False  # said without loading anything
    from datafluid.plane.kubernetes.access import is_in_cluster

    return is_in_cluster(environ)


def _names(config: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    from datafluid.plane.kubernetes.access import kube_contexts

    others = {*config.get("contexts", {}), *kube_contexts(environ=environ)}
    if _is_in_cluster(environ):
        others.add(_IN_CLUSTER)
    return [_EMBEDDED, *sorted(others - {_EMBEDDED})]


def _kube_namespace(settings: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The namespace that the cluster's own configuration names."""
    from datafluid.plane.kubernetes.access import in_cluster_namespace, kube_contexts

    if settings.get("in_cluster"):
        return in_cluster_namespace() or "default"
    wanted = settings.get("kube_context")
    for name, each in kube_contexts(settings.get("kubeconfig"), environ=environ).items():
        if name == wanted or (wanted is None and each.is_current):
            return each.namespace or "default"
    return "default"


def _settings(config: Mapping[str, Any], name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    contexts = config.get("contexts", {})
    if name not in contexts:
        return _unwritten(config, name, environ)
    settings: dict[str, Any] = dict(contexts[name])
    known = {field.name for field in fields(Context)} - {"name"}
    for key in settings:
        if key not in known:
            raise Invalid(f"context {name!r} sets unknown {key!r}.", hint=f"It may set: {', '.join(sorted(known))}.")
    for key, value in settings.items():
        kind, called = _KINDS.get(key, (str, "a text in quotes"))
        if not isinstance(value, kind):
            raise Invalid(f"context {name!r}: {key} is not {called}.", hint=f"Write {called}.")
    _one_of(name, settings, "plane", ("embedded", "kubernetes"))
    _one_of(name, settings, "offline", ("fail", "serve-stale"))
    return settings


def _unwritten(config: Mapping[str, Any], name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a context that the config file does not have.

    Raises:
        NotFound: nothing else has that name either.
    """
    if name == _EMBEDDED:
        return {}
    if name == _IN_CLUSTER and _is_in_cluster(environ):
        return {"plane": "kubernetes", "in_cluster": True}
    from datafluid.plane.kubernetes.access import kube_contexts

    if name in kube_contexts(environ=environ):
        return {"plane": "kubernetes", "kube_context": name}
    names = _names(config, environ)
    near, path = get_close_matches(name, names, n=1), config_path(environ)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names)}, from the kubeconfig and {path}."
    raise NotFound(f"there is no context {name!r}.", hint=hint)


def _one_of(name: str, settings: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> None:
    if key in settings and settings[key] not in allowed:
        raise Invalid(f"context {name!r} sets {key} = {settings[key]!r}.", hint=f"Write one of: {', '.join(allowed)}.")
