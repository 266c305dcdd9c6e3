"""One call of the webhook: what stops it at once, and the plugins that run in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datafluid.model.golang import parse_bool
from datafluid.model.names import LABEL_PREFIX
from datafluid.model.plain import as_map, as_text
from datafluid.model.podlabels import DONE, ENABLED, SERVERFUL
from datafluid.workload.webhook.draft import PodDraft
from datafluid.workload.webhook.marks import name_datasets, propagate_mounts
from datafluid.workload.webhook.mounted import MountedDataset, mounted_datasets
from datafluid.workload.webhook.outcome import Denied
from datafluid.workload.webhook.platform import is_serverless
from datafluid.workload.webhook.prefetch import prefetch_files
from datafluid.workload.webhook.profile import Profile
from datafluid.workload.webhook.scheduling import (
    prefer_nodes_with_cache,
    prefer_nodes_without_cache,
    require_nodes_with_fuse,
)
from datafluid.workload.webhook.sidecar import inject_sidecars
from datafluid.workload.webhook.world import World

__all__ = ["Call"]

_SKIP_PRECHECK = f"sidecar.{LABEL_PREFIX}skip-precheck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Everything that a call depends on.

    Args:
        draft: The pod, to be changed.
        world: What is around it.
        profile: Which plugins run.
        env: The environment of the webhook.
    """

    draft: PodDraft
    world: World
    profile: Profile
    env: Mapping[str, str]

    def why_not(self) -> str:
        """Why the pod is let through unread; empty if it is not.

        Raises:
            Denied: it is in no namespace, or in another one than the request.
        """
        if parse_bool(self.env.get("DISABLE_INJECTION", "")):
            return "skip mutating the pod because global injection is disabled"
        said = as_text(as_map(self.draft.pod.get("metadata")).get("namespace"))
        if said not in ("", self.draft.namespace):
            raise Denied(
                "found invalid pod.metadata.namespace, it must either be empty or equal to request's namespace"
            )
        if not self.draft.namespace:
            raise Denied("unexepcted error: both pod.metadata.namespace and request's namespace is empty")
        if self.draft.labels.get(ENABLED) == "false":
            return "skip mutating the pod because injection is disabled"
        if self.draft.labels.get(DONE) == "true":
            return "skip mutating the pod because injection is done"
        return ""

    def run(self) -> None:
        """Let the plugins change the pod.

        Raises:
            Denied: the pod may not be created.
            Swallowed: a plugin failed; what was changed before stays.
        """
        datasets = self._datasets()
        for plugin in self._plugins(with_dataset=bool(datasets)):
            if self._stops(plugin, datasets):
                break

    def _datasets(self) -> dict[str, MountedDataset]:
        claims = [claim for _, claim in self.draft.claims()]
        unbound_too = self.draft.annotations.get(_SKIP_PRECHECK) == "true"
        return mounted_datasets(claims, self.draft.namespace, self.world, unbound_too=unbound_too)

    def _plugins(self, *, with_dataset: bool) -> tuple[str, ...]:
        if is_serverless(self.draft, self.env):
            lists = self.profile.serverless
        elif self.draft.labels.get(SERVERFUL) == "true":
            lists = self.profile.serverful
        else:
            return ()
        return lists[0] if with_dataset else lists[1]

    def _stops(self, plugin: str, datasets: Mapping[str, MountedDataset]) -> bool:
        """Run a plugin; whether those behind it are not to run."""
        match plugin:
            case "FilePrefetcher":
                prefetch_files(self.draft, datasets, self.env)
            case "RequireNodeWithFuse":
                require_nodes_with_fuse(self.draft, datasets)
            case "NodeAffinityWithCache" if datasets:
                prefer_nodes_with_cache(self.draft, datasets, self.profile.locality)
            case "PreferNodesWithoutCache" if not datasets:
                prefer_nodes_without_cache(self.draft)
            case "MountPropagationInjector":
                propagate_mounts(self.draft, datasets)
            case "FuseSidecar":
                inject_sidecars(self.draft, datasets, self.world, self.env, self._datasets)
            case "DatasetUsageInjector" if datasets:
                name_datasets(self.draft, datasets)
        return plugin == "PreferNodesWithoutCache"
