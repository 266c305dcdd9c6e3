"""What a pod takes of a node, as the scheduler counts it. Processors in thousandths, all else in whole units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from datafluid.model.plain import as_list, as_map
from datafluid.model.quantity import parse_quantity

__all__ = ["Amounts", "amounts", "pod_requests", "total"]

#: Resource name to amount.
Amounts = dict[str, int]
_POD_LEVEL = ("cpu", "memory")


def amounts(quantities: Any) -> Amounts:
    """Quantities by resource as numbers.

    Raises:
        Invalid: one is no quantity.

    Example:
        >>> amounts({"cpu": "1500m", "memory": "2Ki", "nvidia.com/gpu": "1"})
        {'cpu': 1500, 'memory': 2048, 'nvidia.com/gpu': 1}
    """
    return {str(name): _amount(str(name), quantity) for name, quantity in as_map(quantities).items()}


def pod_requests(spec: Mapping[str, Any]) -> Amounts:
    """What the scheduler keeps free for a pod.

    The containers together, or the largest init container if that is more; init containers that go on running count
    for both. A limit without a request is one. What a LimitRange would add is not known here.

    Raises:
        Invalid: something is no quantity.

    Example:
        >>> work = {"resources": {"requests": {"cpu": 1}}}
        >>> pod_requests({"containers": [work, work], "initContainers": [{"resources": {"limits": {"cpu": 3}}}]})
        {'cpu': 3000, 'pods': 1}
    """
    running = total(_requests(each) for each in _containers(spec, "containers"))
    staying: Amounts = {}
    starting: Amounts = {}
    for each in _containers(spec, "initContainers"):
        asked = _requests(each)
        if each.get("restartPolicy") == "Always":
            running, staying = total((running, asked)), total((staying, asked))
            asked = {}
        starting = _most(starting, total((staying, asked)))
    whole = _most(running, starting)
    for_pod = _requests(spec)
    whole |= {name: for_pod[name] for name in for_pod if name in _POD_LEVEL or name.startswith("hugepages-")}
    whole = total((whole, amounts(spec.get("overhead"))))
    return {**{name: amount for name, amount in whole.items() if amount}, "pods": 1}


@lru_cache(maxsize=4096)  # the nodes of a cluster are much alike
def _amount(name: str, quantity: str | int) -> int:
    return parse_quantity(quantity, parts=1000 if name == "cpu" else 1)


def _containers(spec: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    return (as_map(each) for each in as_list(spec.get(name)))


def _requests(holder: Mapping[str, Any]) -> Amounts:
    resources = as_map(holder.get("resources"))
    return amounts({**as_map(resources.get("limits")), **as_map(resources.get("requests"))})


def total(several: Iterable[Mapping[str, int]]) -> Amounts:
    """The sums by resource."""
    sums: Amounts = {}
    for each in several:
        for name, amount in each.items():
            sums[name] = sums.get(name, 0) + amount
    return sums


def _most(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
