"""What all models share: names as on the wire, strict when authored, lenient when read back."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from datafluid.model.kinds import API_VERSION

__all__ = [
    "Int32",
    "Int64",
    "KubernetesObject",
    "NetworkMode",
    "ObjectMeta",
    "Part",
    "Quantity",
    "Replicas",
    "Resource",
    "Timestamp",
]

_NUMBER = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
_SUFFIX = rf"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?{_NUMBER}))"
QUANTITY_PATTERN = rf"^(\+|-)?{_NUMBER}{_SUFFIX}?$"
QUANTITY_LIST_PATTERN = rf"^((\+|-)?{_NUMBER}{_SUFFIX},)+((\+|-)?{_NUMBER}{_SUFFIX}?)$"

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31, json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63, json_schema_extra={"format": "int64"})]
Replicas = Annotated[int, Field(ge=1, lt=2**31, json_schema_extra={"format": "int32"})]
#: A Kubernetes quantity: ``20Gi``, or a bare number.
Quantity = int | Annotated[str, Field(pattern=QUANTITY_PATTERN)]
#: An RFC 3339 time, kept as the server wrote it.
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
#: A structure that Kubernetes itself defines (affinity, resources, volumes, a pod's spec): kept as it is.
KubernetesObject = dict[str, Any]
#: The validation context of what a server sent.
_SERVER = object()
NetworkMode = Literal["HostNetwork", "", "ContainerNetwork"]


class Part(BaseModel):
    """A part of an object. Attributes are snake_case; on the wire and in YAML they are as Fluid spells them."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",  # kept when read back; everything authored is validated with extra="forbid"
        strict=True,
        frozen=False,
        validate_default=False,
        hide_input_in_errors=True,  # inputs may hold what must not be shown
    )

    @model_validator(mode="after")
    def _has_no_unknown_field(self, info: ValidationInfo) -> Self:
        """In Python code, too, an unknown field is an error; only what a server sent may have some."""
        if self.__pydantic_extra__ and info.context is not _SERVER:
            name = next(iter(self.__pydantic_extra__))
            known = [field.alias or own for own, field in type(self).model_fields.items()]
            near = get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            details = {"name": repr(name), "meant": meant}
            raise PydanticCustomError("extra_forbidden", "there is no field {name}{meant}", details)
        return self


class ObjectMeta(Part):
    """Kubernetes' metadata: what users write, and what a server adds."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    owner_references: list[KubernetesObject] | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
    deletion_grace_period_seconds: int | None = None
    self_link: str | None = None
    managed_fields: list[KubernetesObject] | None = None


class Resource(Part):
    """An object: one of the 14 kinds."""

    api_version: Literal["data.fluid.io/v1alpha1"] = API_VERSION  # type: ignore[assignment]  # of type str
    kind: str
    metadata: ObjectMeta

    @classmethod
    def author(cls, manifest: Mapping[str, Any]) -> Self:
        """Read a manifest as somebody wrote it: wire names only, and an unknown field is an error.

        A status is the plane's to write: one that stands in the manifest is left out.

        Raises:
            pydantic.ValidationError: with everything that is wrong; `datafluid.lint` says it in sentences.
        """
        authored = {name: value for name, value in manifest.items() if name != "status"}
        return cls.model_validate(authored, extra="forbid", by_alias=True, by_name=False)

    @classmethod
    def from_server(cls, manifest: Mapping[str, Any]) -> Self:
        """Read an object back: fields that this version does not know are kept.

        Args:
            manifest: As a plane returned it.

        Raises:
            pydantic.ValidationError: a known field has a value that no server would have stored.
        """
        return cls.model_validate(dict(manifest), extra="allow", by_alias=True, by_name=False, context=_SERVER)

    def manifest(self) -> dict[str, Any]:
        """The object as plain data, with the fields that were set and no others.

        Example:
            >>> from datafluid.model import Dataset
            >>> Dataset(metadata={"name": "a"}, spec={"mounts": [{"mountPoint": "s3://bucket"}]}).manifest()["spec"]
            {'mounts': [{'mountPoint': 's3://bucket'}]}
        """
        data = self.model_dump(by_alias=True, exclude_unset=True)
        return {"apiVersion": self.api_version, "kind": self.kind} | data
