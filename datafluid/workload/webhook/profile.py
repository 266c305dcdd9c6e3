"""The plugins profile: which plugins the webhook runs on which pods, and which localities it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.placement.terms import NODE_WEIGHT, REGION, REGION_WEIGHT, ZONE, ZONE_WEIGHT

__all__ = ["FUSE_LOCALITY", "NODE_LOCALITY", "Locality", "Profile"]

NODE_LOCALITY, FUSE_LOCALITY = "fluid.io/node", "fluid.io/fuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locality:
    """What ``NodeAffinityWithCache`` is told.

    Args:
        preferred: The weight of each locality: `NODE_LOCALITY`, `FUSE_LOCALITY`, or a label key of nodes.
        required: The localities that a required dataset asks for.
    """

    preferred: Mapping[str, int]
    required: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Every key that is spoken of."""
        return frozenset(self.preferred) | frozenset(self.required)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The lists of plugins, in their order.

    Args:
        serverful: For pods whose datasets are mounted by the node: with a dataset, and without.
        serverless: For pods that bring their FUSE along: with a dataset, and without.
        locality: What the affinity plugin is told.
    """

    serverful: tuple[tuple[str, ...], tuple[str, ...]]
    serverless: tuple[tuple[str, ...], tuple[str, ...]]
    locality: Locality

    @classmethod
    def of(cls, profile: Mapping[str, Any] | None) -> Profile:
        """Read a profile as the ConfigMap ``webhook-plugins`` has it; None is what Fluid's chart installs.

        Raises:
            Invalid: the webhook would not start with it: an unknown plugin, or arguments that are not YAML.
        """
        if profile is None:
            return _INSTALLED
        configured = {as_text(each.get("name")): each for each in map(as_map, as_list(profile.get("pluginConfig")))}
        args = as_text(as_map(configured.get("NodeAffinityWithCache")).get("args"))
        return cls(
            serverful=_lists(profile, "serverful"),
            serverless=_lists(profile, "serverless"),
            locality=_locality(args),
        )


def _lists(profile: Mapping[str, Any], mode: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The plugins of a mode, with a dataset and without."""
    lists = (look(profile, ("plugins", mode, which)) for which in ("withDataset", "withoutDataset"))
    with_dataset, without = (tuple(as_text(name) for name in as_list(each)) for each in lists)
    for name in (*with_dataset, *without):
        if name not in _PLUGINS:
            raise Invalid(f"the webhook has no plugin {name!r}.", hint=f"It has {', '.join(sorted(_PLUGINS))}.")
    return with_dataset, without


def _locality(args: str) -> Locality:
    from datafluid.model.documents import parse

    documents = parse(args) if args.strip() else []
    told = as_map(documents[0].data) if documents else {}
    preferred = {}
    for each in map(as_map, as_list(told.get("preferred"))):
        weight = each.get("weight", 0)
        if not isinstance(weight, int):
            raise Invalid("a preferred locality has no number as its weight.", hint="The webhook would not start.")
        preferred[as_text(each.get("name"))] = weight
    return Locality(preferred=preferred, required=tuple(as_text(each) for each in as_list(told.get("required"))))


_INSTALLED = Profile(
    serverful=(
        (
            "FilePrefetcher",
            "RequireNodeWithFuse",
            "NodeAffinityWithCache",
            "MountPropagationInjector",
            "DatasetUsageInjector",
        ),
        ("PreferNodesWithoutCache",),
    ),
    serverless=(("FilePrefetcher", "FuseSidecar", "DatasetUsageInjector"), ()),
    locality=Locality(
        preferred={NODE_LOCALITY: NODE_WEIGHT, ZONE: ZONE_WEIGHT, REGION: REGION_WEIGHT},
        required=(NODE_LOCALITY,),
    ),
)
_PLUGINS = {*_INSTALLED.serverful[0], *_INSTALLED.serverful[1], *_INSTALLED.serverless[0]}
