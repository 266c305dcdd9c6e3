"""Workloads together with the datasets that they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from datafluid.client.base import Connected
from datafluid.model.ref import Ref

if TYPE_CHECKING:
    from datafluid.submission.client import Submitted
    from datafluid.submission.steps import Step
    from datafluid.workload import DatasetUse

__all__ = ["Workloads"]


class Workloads(Connected):
    """Mixed into `datafluid.client.Client`."""

    def submit(
        self,
        workload: Any,
        datasets: Iterable[Any] = (),
        *,
        uses: Iterable[DatasetUse | str] = (),
        load: bool | float | None = None,
        detach: bool = False,
        timeout: float | None = None,
        slack: int = 1,
        begin: Callable[[Submitted], None] = lambda submitted: None,
        tell: Callable[[Step], None] = lambda step: None,
    ) -> Submitted:
        """Submit a workload together with the datasets it reads: plan, apply, hold, and let go when the data is there.

        Everything is linted together, as `apply` does it, and nothing is applied when anything is wrong, the workload
        fits nowhere, or the server refuses something. Interrupted at any point, the same call goes on from there.

        Args:
            workload: One object that makes pods: a path, YAML text, a dict, or what `datafluid.wrap` returned.
            datasets: Datasets with their runtimes and operations, as `apply` takes them; or names of datasets that are
                there. It waits for all of them.
            uses: Wrap the workload for these first, see `datafluid.wrap`; it waits for them too.
            load: Warm them first: True waits until each DataLoad is complete, a fraction until so much is cached.
            detach: Return while the workload is held; `resume` lets it go.
            timeout: Seconds to wait; None waits for ever.
            slack: How many more nodes than workers a new cache may choose from, at least.
            begin: Told what is intended before anything is changed.
            tell: Told each step before it is taken.

        Returns:
            What became of it, and what lint warns of.

        Raises:
            Unschedulable: it fits nowhere; carries the reasons, counted.
            Invalid: lint or the server refuses something, or the datasets can never be on one node.
            Unsupported: the plane runs no workloads, or a dataset cannot be loaded.
            Conflict: a workload of that name is there.
            Timeout: with what is missing; the workload stays held.
            OperationFailed: a load failed; the workload stays held.
        """
        from datafluid.submission.client import submit

        return submit(
            self,
            workload,
            datasets,
            uses=uses,
            load=load,
            detach=detach,
            timeout=timeout,
            slack=slack,
            begin=begin,
            tell=tell,
        )

    def resume(
        self,
        workload: str | Ref,
        *,
        now: bool = False,
        timeout: float | None = None,
        tell: Callable[[Step], None] = lambda step: None,
    ) -> Submitted:
        """Go on with a workload that somebody submitted: wait for its data and let it go.

        Args:
            workload: Which; as text ``batch/v1/Job/train``, in the context's namespace.
            now: Let it go now, whatever its data is like.
            timeout: Seconds to wait; None waits for ever.
            tell: Told each step before it is taken.

        Raises:
            NotFound: there is no such workload.
            Conflict: nobody submitted it.
            Timeout: with what is missing.
            OperationFailed: a load failed.
        """
        from datafluid.submission.client import resume, workload_ref

        ref = workload_ref(workload, self.context.namespace) if isinstance(workload, str) else workload
        return resume(self, ref, now=now, timeout=timeout, tell=tell)
