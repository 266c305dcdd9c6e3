"""The CRDs that our models generate are Fluid's own, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, Field, create_model

from datafluid.model import KINDS, DataLoad
from datafluid.model.crds import crd, generate
from datafluid.model.kinds import Kind

RECORDED = Path(__file__).parents[3] / "shared" / "reference" / "fluid" / "crds"
_PROSE = ("description",)
_needs_recording = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="needs the CRDs recorded from Fluid in ../shared/reference/fluid/crds"
)


def _bare(value: Any) -> Any:
    """Without prose."""
    if isinstance(value, dict):
        return {
            key: _bare(below)
            for key, below in value.items()
            if not (key in _PROSE and isinstance(below, str)) and below not in ({}, [], None)
        }
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if ours.get("x-kubernetes-preserve-unknown-fields") and theirs.get("type") == "object":
            return []  # a type of Kubernetes' own, such as a volume or a toleration, passes through as it is
        found = []
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in theirs:
                found.append(f"{path}.{key}: only ours")
            elif key not in ours:
                found.append(f"{path}.{key}: only Fluid's")
            else:
                found += _differences(ours[key], theirs[key], f"{path}.{key}")
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and path.endswith(("required", "enum")):
        ours, theirs = sorted(ours), sorted(theirs)
    return [] if ours == theirs else [f"{path}: {ours!r} is not {theirs!r}"]


@_needs_recording
@pytest.mark.parametrize("kind", KINDS)
def test_a_generated_crd_is_fluids_own(kind: str) -> None:
    """Names, scope, schema, printer columns and subresources."""
    ours = crd(kind)
    recorded = json.loads((RECORDED / f"{ours['spec']['names']['plural']}.json").read_text(encoding="utf-8"))
    theirs = recorded.get("spec", recorded)
    for part in ("group", "names", "scope"):
        if part in theirs:
            assert _differences(_bare(ours["spec"][part]), _bare(theirs[part])) == [], part
    our_version, their_version = ours["spec"]["versions"][0], theirs["versions"][0]
    ours_schema = _bare(our_version["schema"]["openAPIV3Schema"])
    theirs_schema = _bare(their_version["schema"]["openAPIV3Schema"])
    assert _differences(ours_schema, theirs_schema) == []
    assert _differences(_bare(our_version.get("subresources")), _bare(their_version.get("subresources"))) == []


def test_there_is_a_crd_for_each_kind() -> None:
    """All 14, each once."""
    assert [each["spec"]["names"]["kind"] for each in generate()] == list(KINDS)
    assert len(KINDS) == 14


def test_changing_a_model_changes_its_crd(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CRDs come from the models and from nowhere else."""
    kind = KINDS["DataLoad"]
    before = crd("DataLoad")
    spec = DataLoad.model_fields["spec"].annotation
    wider = create_model("Wider", __base__=_model_in(spec), colour=(str | None, Field(None)))
    model = create_model("DataLoad", __base__=DataLoad, spec=(wider, ...))
    monkeypatch.setattr(Kind, "model", property(lambda own: model if own.kind == kind.kind else own.model))
    after = crd("DataLoad")
    properties = after["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert properties["colour"] == {"type": "string"}
    assert before != after


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model in ``Spec | None``."""
    found = [each for each in (*get_args(annotation), annotation) if isinstance(each, type) and each is not type(None)]
    return next(each for each in found if issubclass(each, BaseModel))
