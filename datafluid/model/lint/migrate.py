"""Rules about DataMigrate."""

from __future__ import annotations

from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_map, show

_KINDS = ("DataMigrate",)
_SIDES = ("from", "to")


@rule(
    "DF334",
    "Both a dataset and an external storage",
    "error",
    kinds=_KINDS,
    source="Fluid: DataMigrate",
)
def both(subject: Subject, scope: Scope) -> Hits:
    for side in _SIDES:
        place = as_map(subject.spec.get(side))
        if place.get("dataset") and place.get("externalStorage"):
            yield Hit(
                ("spec", side),
                f"{side} names a dataset and an external storage.",
                "Keep the one that is meant.",
            )


@rule(
    "DF335",
    "Neither a dataset nor an external storage",
    "error",
    kinds=_KINDS,
    source="Fluid: DataMigrate",
)
def neither(subject: Subject, scope: Scope) -> Hits:
    for side in _SIDES:
        place = subject.spec.get(side)
        if isinstance(place, dict) and not place.get("dataset") and not place.get("externalStorage"):
            yield Hit(
                ("spec", side),
                f"{side} names no place.",
                "Set its dataset, or its externalStorage with a uri.",
            )


@rule("DF336", "A migration onto itself", "error", kinds=_KINDS, source="Fluid: DataMigrate")
def onto_itself(subject: Subject, scope: Scope) -> Hits:
    source, target = (as_map(subject.spec.get(side)) for side in _SIDES)
    if source and source == target:
        yield Hit(("spec", "to"), "from and to are the same place.", "Name another place in to.")


@rule(
    "DF337",
    "A parallel migration without its SSH secret",
    "error",
    kinds=_KINDS,
    source="Fluid: TargetSSHSecretNameNotSet",
    plane="kubernetes",
)
def ssh_secret(subject: Subject, scope: Scope) -> Hits:
    parallelism = subject.spec.get("parallelism")
    named = subject.at("spec", "parallelOptions", "sshSecretName")
    if isinstance(parallelism, int) and parallelism > 1 and not named:
        yield Hit(
            ("spec", "parallelism"),
            f"{show(parallelism)} workers talk over SSH, and no Secret holds their key.",
            "Set spec.parallelOptions.sshSecretName, or parallelism to 1.",
        )


@rule("DF342", "A migration without any dataset", "error", kinds=_KINDS, source="Fluid: target dataset")
def no_dataset(subject: Subject, scope: Scope) -> Hits:
    places = [as_map(subject.spec.get(side)) for side in _SIDES]
    if all(place.get("externalStorage") for place in places) and not any(place.get("dataset") for place in places):
        yield Hit(
            ("spec",),
            "neither side is a dataset, so no runtime can do the migration.",
            "Make one side a dataset: data moves between a dataset and a store.",
        )
