"""Why a dataset is not what it should be: one look around it, rules over what was seen, causes with what to do next.

`collect` asks the plane and is the only part that does; `diagnose` is a pure function over its picture.
"""

from __future__ import annotations

from datafluid.diagnosis.archive import bundle
from datafluid.diagnosis.cause import Cause
from datafluid.diagnosis.collect import collect
from datafluid.diagnosis.picture import Picture
from datafluid.diagnosis.table import CAUSES, diagnose
from datafluid.diagnosis.verdict import Diagnosis

__all__ = ["CAUSES", "Cause", "Diagnosis", "Picture", "bundle", "collect", "diagnose"]
