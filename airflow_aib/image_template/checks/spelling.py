"""What is written where the tables have nothing: unknown, in another letter case, or of another api-version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.members.api_versions import is_strict
from airflow_aib.image_template.members.in_version import when_known
from airflow_aib.image_template.members.misspelt import meant_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_aib.image_template.members.shapes import Family, Member, Shape


def misspelled(key: str, member: Member, shape: Shape, path: str) -> Finding:
    """Report a member in another letter case."""
    treatment = "refuses it" if is_strict(shape.api_version) else "takes it still, and later ones refuse it"
    return (error if is_strict(shape.api_version) else warning)(
        path,
        "member-case",
        f"{key!r} has another letter case than {member.name!r}, and api-version {shape.api_version} {treatment}",
        f"Write {member.name!r}.",
    )


def unexpected(key: str, shape: Shape, path: str) -> Finding:
    """Report a member that the api-version does not have, by the best explanation there is."""
    renamed = shape.member(key)
    when = _when_written(key, renamed) if renamed else None
    if renamed is not None and when is not None:
        return _of_another_version(key, when, shape, path, f"Write {renamed.name!r}.")
    other = shape.others.get(key.casefold())
    if other is not None:
        hint = other.instead or "Leave it out, or use an api-version that has it."
        return _of_another_version(key, when_known(other, shape.api_version), shape, path, hint)
    hint = f"Write {renamed.name!r}." if renamed else nearest(key, shape.members)
    return (error if is_strict(shape.api_version) else warning)(
        path, "member-unknown", f"{key!r} is not known in {named(shape)}, and {_treatment(shape)} unknown ones", hint
    )


def _of_another_version(key: str, when: str, shape: Shape, path: str, hint: str) -> Finding:
    return (error if is_strict(shape.api_version) else warning)(
        path, "member-version", f"{named(shape)} has {key!r} only {when}, and {_treatment(shape)} it", hint
    )


def _when_written(key: str, member: Member) -> str | None:
    """Say which api-versions spell a member so."""
    by_letters = {name.casefold(): when for name, when in member.other_names.items()}
    return by_letters.get(key.casefold())


def _treatment(shape: Shape) -> str:
    return f"api-version {shape.api_version} {'refuses' if is_strict(shape.api_version) else 'ignores'}"


def unexpected_kind(told: Any, family: Family, path: str) -> Finding:
    """Report a kind that the api-version does not have; a wrong value fails in all of them."""
    other = family.others.get(str(told).casefold())
    if other is not None:
        when = when_known(other, family.api_version)
        return error(
            path,
            "kind-version",
            f"There is a {family.name} {other.name!r} only {when}, and not in api-version {family.api_version}",
            known(family),
        )
    return error(path, "kind-unknown", f"There is no {family.name} {told!r}", nearest(str(told), family.kinds))


def misspelled_kind(told: str, kind: Shape, family: Family, path: str) -> Finding:
    """Report a kind in another letter case, which fails even where that of members is ignored."""
    return error(
        path,
        "kind-unknown",
        f"There is no {family.name} {told!r} in api-version {kind.api_version}: letter case counts",
        f"Write {kind.name!r}.",
    )


def known(family: Family) -> str:
    """Name the kinds of a family, as a hint."""
    return f"Known are {', '.join(family.kinds)}."


def nearest(word: str, choices: Iterable[str]) -> str:
    """Name the choice that is nearest to a word, else all of them, as a hint."""
    known_ones = tuple(choices)
    meant = meant_by(word, known_ones)
    return f"Is {meant!r} meant?" if meant else f"Known are {', '.join(known_ones)}."


def named(shape: Shape) -> str:
    """Name an object in a sentence."""
    return f"the {shape.name}" if shape.name[:1].islower() else shape.name
