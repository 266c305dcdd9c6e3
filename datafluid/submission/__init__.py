"""A workload and its datasets, submitted together: `datafluid.Client.submit`.

`steps` says what comes next, as a pure function of what is there; `running` looks, does it, and asks again;
`planning` reads the cluster for the planner; `reading` makes sense of what the caller gave.
"""

from __future__ import annotations
