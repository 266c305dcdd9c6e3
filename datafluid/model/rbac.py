"""What datafluid may do on a cluster, by what it is used for: the smallest roles, as manifests.

No rule reads Secrets: whoever may list them may read their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from datafluid.errors import Invalid
from datafluid.model.kinds import GROUP, KINDS
from datafluid.model.node_report import AGENT_NAMESPACE
from datafluid.model.ref import Ref

__all__ = ["PURPOSES", "Purpose", "roles"]

Purpose = Literal["airflow", "kfp", "notebook", "reader", "submit"]
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
#: What `Client.submit` does, beside the workload: it declares, loads (again, when a load failed), waits and owns.
_COORDINATE = [
    _rule(GROUP, ["datasets"], "get", "list", "watch", "create", "patch"),
    _rule(GROUP, [kind.plural for kind in KINDS.values() if kind.is_runtime], "get", "create", "patch"),
    _rule(GROUP, ["dataloads"], "get", "create", "patch", "delete"),
    _rule("", ["configmaps"], "get", "create", "patch"),
    _rule("", ["persistentvolumeclaims"], "get"),
]
_RULES: Mapping[Purpose, list[_Rule]] = {
    "airflow": [*_READ, *_CHANGE, *_DELETE, *_SCALE],
    "kfp": [*_READ, *_CHANGE],
    "notebook": [*_READ, *_CHANGE, *_DELETE, *_SCALE, *_SUBMIT],
    "reader": _READ,
    "submit": _COORDINATE,
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
#: What else runs on the nodes that work is planned for.
_PLAN_CLUSTER = [_rule("", ["pods"], "list")]
_CLUSTER_RULES: Mapping[Purpose, list[_Rule]] = {
    "airflow": _CLUSTER,
    "kfp": _CLUSTER,
    "notebook": [*_CLUSTER, *_PLAN_CLUSTER],
    "reader": _CLUSTER,
    "submit": [_rule("", ["nodes"], "list"), *_PLAN_CLUSTER],
}
#: What agents tell of the nodes' disks.
_REPORTS = [_rule("", ["configmaps"], "list")]
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
    workloads: Iterable[str] = ("batch/v1/Job",),
) -> list[dict[str, Any]]:
    """The smallest Role for a purpose.

    Args:
        purpose: ``reader`` looks; ``kfp`` also declares and warms; ``airflow`` also scales and deletes; ``notebook``
            also submits pods and jobs; ``submit`` does what ``datafluid submit`` does, and nothing else.
        namespace: Where datasets are.
        name: What the roles are called; ``datafluid-<purpose>`` by default.
        account: A service account of that namespace to bind them to.
        cluster: Also a ClusterRole for what has no namespace: nodes, volumes, profiles; for ``submit`` what it plans
            with, and a Role for what agents tell of the nodes' disks.
        diagnose: Also what ``datafluid diagnose`` looks at. What it may not see it calls unknown.
        workloads: The kinds that ``submit`` submits.

    Returns:
        Manifests: the Role, perhaps a ClusterRole, and a binding for each where there is an account.

    Raises:
        Invalid: there is no such purpose, or something is no kind.

    Example:
        >>> [each["kind"] for each in roles("reader", account="viewer", cluster=True)]
        ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']
        >>> roles("reader")[0]["rules"][1]
        {'apiGroups': [''], 'resources': ['events'], 'verbs': ['list']}
        >>> roles("submit", workloads=["kubeflow.org/v1/PyTorchJob"])[0]["rules"][-1]["resources"]
        ['pytorchjobs']
    """
    if purpose not in _RULES:
        raise Invalid(f"there is no purpose {purpose!r}.", hint=f"There are: {', '.join(PURPOSES)}.")
    called = name or f"datafluid-{purpose}"
    works = [_of_workload(kind) for kind in workloads] if purpose == "submit" else []
    found = [_role("Role", called, namespace, [*_RULES[purpose], *works, *(_DIAGNOSE if diagnose else ())])]
    if cluster:
        # Names of cluster-scoped objects are everybody's: the namespace keeps two teams apart.
        wide = [*_CLUSTER_RULES[purpose], *(_DIAGNOSE_CLUSTER if diagnose else ())]
        found.append(_role("ClusterRole", f"{called}-{namespace}", None, wide))
    if cluster and purpose == "submit":
        found.append(_role("Role", f"{called}-{namespace}", AGENT_NAMESPACE, _REPORTS))
    if account is None:
        return found
    return [each for role in found for each in (role, _binding(role, account, namespace))]


def _of_workload(kind: str) -> _Rule:
    """A workload is created, looked at, and let go by a patch. All kinds that `wrap` knows have regular plurals."""
    ref = Ref(kind, "any")
    if "/" not in kind or kind.count("/") > 2:
        raise Invalid(f"{kind[:200]!r} is no kind of workload.", hint="Write for example batch/v1/Job.")
    return _rule(ref.api_version.rpartition("/")[0], [f"{ref.bare_kind.lower()}s"], "get", "create", "patch")


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
