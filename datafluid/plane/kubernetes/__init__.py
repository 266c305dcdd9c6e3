"""The Kubernetes plane: a cluster that runs Fluid, behind the port.

    flows (steps, applying, deleting, reading)   what is said to the server: generators over data, no I/O
    following (watching)                         the same for a watch
    sync; aio (session)                          two transports: ``kubernetes`` and ``kubernetes_asyncio``
    plane, aio_plane                             the port, driven by one or the other

Only this package imports the official clients, and only when the first call is made.
"""

from __future__ import annotations

from datafluid.plane.kubernetes.plane import KubernetesPlane

__all__ = ["KubernetesPlane"]
