"""A Kubeflow pipeline: one step warms a dataset, the next reads it. Runs locally with ``kfp.local``."""

import os

from fluid_kfp import warm_dataset
from kfp import dsl, local

DATASET = os.environ.get("EXAMPLE_DATASET", "default/flights")


@dsl.component(base_image="python:3.11-slim", packages_to_install=["datafluid", "pandas"], install_kfp_package=False)
def count_rows(url: str) -> int:
    """Read Parquet through ``fluid://`` with pandas."""
    import pandas as pd

    return len(pd.read_parquet(url))


@dsl.pipeline(name="warm-and-count")
def warm_and_count(dataset: str = DATASET, path: str = "/") -> int:
    """The reading step runs when the warm-up has ended."""
    warm = warm_dataset(dataset=dataset, path=path)
    warm.set_caching_options(False)
    return count_rows(url=warm.output).output


if __name__ == "__main__":
    local.init(runner=local.SubprocessRunner(use_venv=False), raise_on_error=True)
    print("rows:", warm_and_count(dataset=DATASET).output)
