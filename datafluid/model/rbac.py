"""What datafluid may do on a cluster, by what it is used for: the smallest roles, as manifests.

No rule reads Secrets: whoever may list them may read their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from datafluid.errors import Invalid
from datafluid.model.kinds import GROUP, KINDS

__all__ = ["PURPOSES", "Purpose", "roles"]

Purpose = Literal["airflow", "kfp", "notebook", "reader"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_Rule = dict[str, Any]
_RBAC = "rbac.authorization.k8s.io"
_API = f"{_RBAC}/v1"


def _rule(group: str, resources: Iterable[str], *verbs: str) -> _Rule:
    return {"apiGroups": [group], "resources": sorted(resources), "verbs": list(verbs)}


_FLUID = [kind.plural for kind in KINDS.values() if kind.namespaced]
#: Looking includes waiting, for a dataset can be used once its claim is Bound, and the runs of schedules.
_READ = [
    _rule(GROUP, _FLUID, "get", "list", "watch"),
    _rule("", ["events"], "list"),
    _rule("", ["persistentvolumeclaims"], "get", "list", "watch"),
    _rule("batch", ["cronjobs"], "get", "list", "watch"),
    _rule("batch", ["jobs"], "list"),
]
#: Fluid never changes a schedule once it has made the CronJob, nor suspends it: that is done there.
_CHANGE = [_rule(GROUP, _FLUID, "create", "patch"), _rule("batch", ["cronjobs"], "patch")]
_DELETE = [_rule(GROUP, _FLUID, "delete")]
_SCALE = [_rule(GROUP, (f"{kind.plural}/scale" for kind in KINDS.values() if kind.scalable), "patch")]
#: What a notebook submits: its own pods and jobs, and the ConfigMaps that they mount.
_SUBMIT = [
    _rule("", ["configmaps", "pods"], "get", "create", "patch", "delete"),
    _rule("batch", ["jobs"], "get", "create", "patch", "delete"),
]
_RULES: Mapping[Purpose, list[_Rule]] = {
    "airflow": [*_READ, *_CHANGE, *_DELETE, *_SCALE],
    "kfp": [*_READ, *_CHANGE],
    "notebook": [*_READ, *_CHANGE, *_DELETE, *_SCALE, *_SUBMIT],
    "reader": _READ,
}
_DIAGNOSE = [
    _rule("", ["limitranges", "pods", "resourcequotas"], "list"),
    _rule("apps", ["daemonsets", "statefulsets"], "list"),
]
_CLUSTER = [
    _rule("", ["nodes"], "list"),
    _rule("", ["persistentvolumes"], "get", "list"),
    _rule(GROUP, (kind.plural for kind in KINDS.values() if not kind.namespaced), "get", "list", "watch"),
]
#: What else runs on the nodes that a notebook's work is planned for.
_PLAN_CLUSTER = [_rule("", ["pods"], "list")]
_DIAGNOSE_CLUSTER = [
    _rule("", ["namespaces"], "get"),
    _rule("admissionregistration.k8s.io", ["mutatingwebhookconfigurations"], "get"),
    _rule("apps", ["deployments"], "list"),
]


def roles(
    purpose: Purpose,
    *,
    namespace: str = "default",
    name: str | None = None,
    account: str | None = None,
    cluster: bool = False,
    diagnose: bool = False,
) -> list[dict[str, Any]]:
    """The smallest Role for a purpose.

    Args:
        purpose: ``reader`` looks; ``kfp`` also declares and warms; ``airflow`` also scales and deletes; ``notebook``
            also submits pods and jobs.
        namespace: Where datasets are.
        name: What the roles are called; ``datafluid-<purpose>`` by default.
        account: A service account of that namespace to bind them to.
        cluster: Also a ClusterRole for what has no namespace: nodes, volumes, profiles.
        diagnose: Also what ``datafluid diagnose`` looks at. What it may not see it calls unknown.

    Returns:
        Manifests: the Role, perhaps a ClusterRole, and a binding for each where there is an account.

    Raises:
        Invalid: there is no such purpose.

    Example:
        >>> [each["kind"] for each in roles("reader", account="viewer", cluster=True)]
        ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']
        >>> roles("reader")[0]["rules"][1]
        {'apiGroups': [''], 'resources': ['events'], 'verbs': ['list']}
    """
    if purpose not in _RULES:
        raise Invalid(f"there is no purpose {purpose!r}.", hint=f"There are: {', '.join(PURPOSES)}.")
    called = name or f"datafluid-{purpose}"
    found = [_role("Role", called, namespace, [*_RULES[purpose], *(_DIAGNOSE if diagnose else ())])]
    if cluster:
        # Names of cluster-scoped objects are everybody's: the namespace keeps two teams apart.
        wide = [
            *_CLUSTER,
            *(_PLAN_CLUSTER if purpose == "notebook" else ()),
            *(_DIAGNOSE_CLUSTER if diagnose else ()),
        ]
        found.append(_role("ClusterRole", f"{called}-{namespace}", None, wide))
    if account is None:
        return found
    return [each for role in found for each in (role, _binding(role, account, namespace))]


def _role(kind: str, name: str, namespace: str | None, rules: list[_Rule]) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "rules": rules}


def _binding(role: Mapping[str, Any], account: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": f"{role['kind']}Binding",
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": _RBAC, "kind": role["kind"], "name": role["metadata"]["name"]},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
