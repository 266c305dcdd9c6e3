"""A training Job and the dataset that it reads, submitted together.

    DATAFLUID_CONTEXT=my-cluster python examples/submit_job.py [NAMESPACE]

The dataset does not exist yet, nor does its cache. The planner finds the nodes where the Job fits and ties the cache to
them; the Job is created suspended, and let go when the dataset is bound and warm. Run it again when it was interrupted.
"""

from __future__ import annotations

import sys

import datafluid
from datafluid.submission.steps import Step, Wait

DATASET = """
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata: {name: hbase}
spec:
  mounts: [{mountPoint: "https://mirrors.example.com/hbase", name: hbase}]
---
apiVersion: data.fluid.io/v1alpha1
kind: AlluxioRuntime
metadata: {name: hbase}
spec:
  replicas: 1
  tieredstore:
    levels: [{mediumtype: MEM, path: /dev/shm, quota: 1Gi, high: "0.95", low: "0.7"}]
"""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: count}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: count
          image: busybox:1.36
          command: [sh, -c, "find /data -type f | wc -l"]
          resources: {requests: {cpu: 500m, memory: 128Mi}}
"""


def tell(step: Step) -> None:
    """What is done next, or what it waits for."""
    print("waiting:" if isinstance(step, Wait) else type(step).__name__.lower(), *getattr(step, "reasons", ()))


def main(namespace: str | None = None) -> None:
    """Submit both."""
    client = datafluid.connect()
    if namespace is not None:
        client = datafluid.Client(client.plane, datafluid.Context(plane="kubernetes", namespace=namespace))
    done = client.submit(JOB, [DATASET], uses=["hbase:/data"], load=True, timeout=600, tell=tell)
    for note in done.notes:
        print(note)
    print(f"{done.ref} runs; it fits on {len(done.plan.nodes)} nodes.")


if __name__ == "__main__":
    main(*sys.argv[1:])
