"""The names that Fluid makes out of yours, and how long they may get.

Kubernetes limits a name to 63 characters, a CronJob to 52 and helm a release to 53. Fluid appends to the
names of operations without looking at these limits, so an operation with a long name is accepted and then
fails over and over. Only label keys are shortened: one that would be too long carries the dataset's UID.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

from datafluid.errors import Invalid

__all__ = [
    "LABEL_PREFIX",
    "OPERATION_KINDS",
    "OperationNames",
    "check_namespace",
    "dataset_id",
    "exclusive_value",
    "generated_name",
    "is_dns1035_label",
    "is_namespace_name",
    "label_key",
    "name_budget",
    "shortened",
]

LABEL_PREFIX = "fluid.io/"
_NAME_LIMIT = 63
_RELEASE_LIMIT = 53
_CRON_JOB_LIMIT = 52
_SHORTEST_BUDGET = 36  # a DataMigrate with a schedule
_DNS1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_DNS1123_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_RELEASE = {
    "DataLoad": "loader",
    "DataMigrate": "migrate",
    "DataProcess": "processor",
    "DataBackup": "charts",
}
_JOB = {"DataLoad": "-loader-job", "DataMigrate": "-migrate-migrate", "DataProcess": "-processor-job"}

#: The kinds that do something to a dataset, once or on a schedule.
OPERATION_KINDS = tuple(_RELEASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationNames:
    """What an operation creates.

    Args:
        release: The helm release.
        job: The Job, and the CronJob of a scheduled one; None for DataBackup.
        pod: The bare Pod of a DataBackup; None for the others.

    Example:
        >>> OperationNames.of("DataLoad", "warm").job
        'warm-loader-job'
    """

    release: str
    job: str | None = None
    pod: str | None = None

    @classmethod
    def of(cls, kind: str, name: str) -> OperationNames:
        """The names that follow from an operation's own.

        Raises:
            KeyError: ``kind`` is not one of `OPERATION_KINDS`.
        """
        release = f"{name}-{_RELEASE[kind]}"
        if kind == "DataBackup":
            return cls(release=release, pod=f"{name}-pod")
        return cls(release=release, job=name + _JOB[kind])


def name_budget(kind: str, *, cron: bool = False) -> int:
    """How many characters an operation's name may have so that all it creates can be created.

    Example:
        >>> name_budget("DataLoad"), name_budget("DataLoad", cron=True)
        (46, 41)
    """
    names = OperationNames.of(kind, "")
    budgets = [_RELEASE_LIMIT - len(names.release)]
    if names.job is not None:
        budgets.append((_CRON_JOB_LIMIT if cron else _NAME_LIMIT) - len(names.job))
    return min(budgets)


def generated_name(dataset: str, purpose: str) -> str:
    """A new name for an operation on a dataset, short enough to run on a schedule in Fluid."""
    suffix = f"-{purpose}-{secrets.token_hex(3)}"
    return dataset[: _SHORTEST_BUDGET - len(suffix)].rstrip("-") + suffix


def shortened(name: str, *, longest: int = _NAME_LIMIT) -> str:
    """A name that is no longer than Kubernetes takes: as it is, or its beginning and a hash of all of it.

    Example:
        >>> shortened("imagenet"), shortened("imagenet-1k", longest=16)
        ('imagenet', 'imagenet-1k')
        >>> len(shortened("a" * 100))
        63
    """
    if len(name) <= longest:
        return name
    return f"{name[: longest - 9].rstrip('-.')}-{sha256(name.encode()).hexdigest()[:8]}"


def is_dns1035_label(name: str) -> bool:
    """Whether Fluid takes it as the name of a dataset or runtime: a Service could be called so.

    Example:
        >>> is_dns1035_label("imagenet-1k"), is_dns1035_label("1k-imagenet")
        (True, False)
    """
    return len(name) <= _NAME_LIMIT and _DNS1035.fullmatch(name) is not None


def is_namespace_name(name: str) -> bool:
    """Whether a namespace can be called so.

    Example:
        >>> is_namespace_name("team-1"), is_namespace_name("My Team"), is_namespace_name("")
        (True, False, False)
    """
    return _DNS1123_LABEL.fullmatch(name) is not None


def check_namespace(name: str) -> None:
    """Refuse what no namespace can be called.

    Raises:
        Invalid: it is one of those.
    """
    if not is_namespace_name(name):
        hint = "Use lower case letters, digits and dashes, 63 at most."
        raise Invalid(f"{name[:200]!r} is no name for a namespace.", hint=hint)


def label_key(kind: str, namespace: str, name: str, *, uid: str | None = None) -> str:
    """A label key of a dataset, as ``utils.GetFullNamespacedName…`` of Fluid writes it.

    Args:
        kind: What stands between ``fluid.io/`` and the name: ``s-``, ``f-``, ``s-alluxio-``, ...
        namespace: The dataset's namespace.
        name: The dataset's name.
        uid: The dataset's UID, which takes the place of both when the whole key, prefix included, would
            have 63 characters or more. Without it the key stays long, and Kubernetes may refuse it.
    """
    key = f"{LABEL_PREFIX}{kind}{namespace}-{name}"
    return f"{LABEL_PREFIX}{kind}{uid}" if uid and len(key) >= _NAME_LIMIT else key


def dataset_id(namespace: str, name: str, *, uid: str | None = None) -> str:
    """The value of ``fluid.io/dataset-id``: namespace and name, or the UID from 63 characters on."""
    plain = f"{namespace}-{name}"
    return uid if uid and len(plain) >= _NAME_LIMIT else plain


def exclusive_value(namespace: str, name: str, *, uid: str | None = None) -> str:
    """The value of ``fluid_exclusive``: `dataset_id`, but with an underscore while it is short."""
    plain = f"{namespace}_{name}"
    return plain if len(plain) < _NAME_LIMIT else dataset_id(namespace, name, uid=uid)
