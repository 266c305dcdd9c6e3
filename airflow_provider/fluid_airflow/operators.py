"""Operators: a step of a DAG that makes a dataset ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from datafluid.loads import LoadHandle

__all__ = ["FluidDataLoadOperator"]


class FluidDataLoadOperator(BaseOperator):
    """Warm a dataset, or some of its paths, and succeed when it is loaded.

    The load is an ordinary DataLoad: `datafluid get dataloads` shows it, files that are cached already are not
    fetched again, and a task that is killed cancels it.

    Args:
        dataset: ``namespace/name``, or a name in the context's namespace. Templated.
        paths: Paths below the dataset; none means all of it. Templated.
        metadata: Load the listing only, no bytes.
        context_name: The datafluid context; None takes the usual precedence. Templated.
        wait_timeout: Seconds to wait for the load; None waits as long as the task may run.

    Returns:
        From `execute`: the load's name and phase, and the bytes and files it covered, for XCom.

    Raises:
        datafluid.errors.OperationFailed: the load failed; the message has the reason.
        datafluid.errors.Timeout: it took longer than ``wait_timeout``.

    Example:
        >>> task = FluidDataLoadOperator(task_id="warm", dataset="team/imagenet", paths=["/train"])
        >>> task.dataset
        'team/imagenet'
    """

    template_fields: Sequence[str] = ("dataset", "paths", "context_name")
    ui_color = "#d8ecf3"

    def __init__(
        self,
        *,
        dataset: str,
        paths: Sequence[str] = (),
        metadata: bool = False,
        context_name: str | None = None,
        wait_timeout: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset
        self.paths = paths
        self.metadata = metadata
        self.context_name = context_name
        self.wait_timeout = wait_timeout
        self._load: LoadHandle | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Start the load and wait for it."""
        import datafluid

        handle = datafluid.connect(self.context_name).dataset(self.dataset)
        self._load = handle.load(*self.paths, metadata=self.metadata)
        self.log.info("Warming %s with DataLoad %s.", self.dataset, self._load.name)
        status = self._load.wait(timeout=self.wait_timeout)
        progress = status.progress
        return {
            "dataset": self.dataset,
            "load": self._load.name,
            "phase": status.phase,
            "bytes": progress.bytes_total if progress else None,
            "files": progress.files_total if progress else None,
        }

    def on_kill(self) -> None:
        """Cancel the load: Airflow calls this when the task is stopped by hand or by its time limit."""
        if self._load is not None:
            self._load.cancel()
