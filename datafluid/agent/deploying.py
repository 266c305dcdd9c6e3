"""The agent on every node of a cluster: what ``datafluid agent --manifest`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datafluid.model.node_report import AGENT_NAMESPACE, NAME_PREFIX

__all__ = ["METRICS_PORT", "deployment"]

Manifest = dict[str, Any]

METRICS_PORT = 9808
_NAME = "datafluid-agent"
_HOST = "/host"
_NOBODY = 65534
_USER = f"system:serviceaccount:{AGENT_NAMESPACE}:{_NAME}"
_NODE_OF_TOKEN = "request.userInfo.extra['authentication.kubernetes.io/node-name']"  # noqa: S105  # a CEL expression
_LABELS = {"app.kubernetes.io/name": _NAME}


def deployment(*, image: str, tiers: Sequence[str] = (), pages: bool = False) -> list[Manifest]:
    """The objects that run the agent on every node.

    It sees the node read-only, runs as nobody, and may write one ConfigMap: its own node's. RBAC cannot tie a right
    to a node, so a ValidatingAdmissionPolicy does, by the node's name in the token (Kubernetes 1.30 or later).

    Args:
        image: An image that has ``datafluid[k8s]`` installed.
        tiers: Directories of cache tiers on the nodes, to be looked into.
        pages: Also tell what of the tiers is in the page cache. The kernel tells that only to who owns the files, so
            the agent runs as root then, with no capability but reading and ownership.

    Example:
        >>> [each["kind"] for each in deployment(image="datafluid")]  # doctest: +NORMALIZE_WHITESPACE
        ['Namespace', 'ServiceAccount', 'Role', 'RoleBinding', 'ValidatingAdmissionPolicy',
         'ValidatingAdmissionPolicyBinding', 'DaemonSet']
    """
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": AGENT_NAMESPACE}},
        _object("v1", "ServiceAccount"),
        *_rights(),
        _policy(),
        _object(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicyBinding",
            namespaced=False,
            spec={"policyName": _NAME, "validationActions": ["Deny"]},
        ),
        _daemon_set(image, tiers, pages),
    ]


def _object(api_version: str, kind: str, *, namespaced: bool = True, **fields: Any) -> Manifest:
    where = {"namespace": AGENT_NAMESPACE} if namespaced else {}
    metadata = {"name": _NAME, **where, "labels": dict(_LABELS)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _rights() -> list[Manifest]:
    rbac = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": _NAME, "namespace": AGENT_NAMESPACE}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}
    role = {"apiGroup": rbac, "kind": "Role", "name": _NAME}
    return [
        _object(f"{rbac}/v1", "Role", rules=[rule]),
        _object(f"{rbac}/v1", "RoleBinding", roleRef=role, subjects=[subject]),
    ]


def _policy() -> Manifest:
    resources = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["configmaps"],
    }
    own = f"object.metadata.name == '{NAME_PREFIX}' + {_NODE_OF_TOKEN}[0]"
    known = "has(request.userInfo.extra) && 'authentication.kubernetes.io/node-name' in request.userInfo.extra"
    return _object(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        namespaced=False,
        spec={
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [resources]},
            "matchConditions": [{"name": "agent", "expression": f"request.userInfo.username == '{_USER}'"}],
            "validations": [
                {
                    "expression": f"{known} && {own}",
                    "message": "an agent writes the ConfigMap of its own node only (the token names the node)",
                }
            ],
        },
    )


def _daemon_set(image: str, tiers: Sequence[str], pages: bool) -> Manifest:
    return _object(
        "apps/v1",
        "DaemonSet",
        spec={
            "selector": {"matchLabels": dict(_LABELS)},
            "template": {
                "metadata": {"labels": dict(_LABELS)},
                "spec": {
                    "serviceAccountName": _NAME,
                    "securityContext": _user(pages),
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [_container(image, tiers, pages)],
                    "volumes": [{"name": "host", "hostPath": {"path": "/", "type": "Directory"}}],
                },
            },
        },
    )


def _user(pages: bool) -> Manifest:
    who: Manifest = {"runAsUser": 0} if pages else {"runAsNonRoot": True, "runAsUser": _NOBODY, "runAsGroup": _NOBODY}
    return {**who, "seccompProfile": {"type": "RuntimeDefault"}}


def _container(image: str, tiers: Sequence[str], pages: bool) -> Manifest:
    capabilities = {"drop": ["ALL"], **({"add": ["DAC_READ_SEARCH", "FOWNER"]} if pages else {})}
    return {
        "name": "agent",
        "image": image,
        "args": [
            "agent",
            "--publish",
            f"--listen=:{METRICS_PORT}",
            f"--host-root={_HOST}",
            *(f"--tier={tier}" for tier in tiers),
            *(["--pages"] if pages else []),
        ],
        "env": [{"name": "DATAFLUID_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": capabilities,
        },
        "volumeMounts": [{"name": "host", "mountPath": _HOST, "readOnly": True, "mountPropagation": "HostToContainer"}],
    }
