"""The components. Each is a lightweight Python component, so its body imports what it uses."""

from kfp import dsl

__all__ = ["warm_dataset"]


@dsl.component(base_image="python:3.11-slim", packages_to_install=["datafluid"], install_kfp_package=False)  # type: ignore[untyped-decorator]
def warm_dataset(dataset: str, path: str = "/", metadata: bool = False, timeout_seconds: float = 3600.0) -> str:
    """Warm a dataset and succeed when it is loaded.

    Turn the step's cache off (``task.set_caching_options(False)``): Kubeflow would otherwise skip a warm-up
    that it has seen before, and the cache may have been evicted since.

    Args:
        dataset: ``namespace/name``.
        path: What to load; ``/`` is all of it.
        metadata: Load the listing only.
        timeout_seconds: How long to wait.

    Returns:
        The dataset's ``fluid://`` URL with the path, for the step that reads it.
    """
    import datafluid

    handle = datafluid.connect().dataset(dataset)
    load = handle.load(path, metadata=metadata)
    load.wait(timeout=timeout_seconds)
    return str(handle.uri.joinpath(path))
