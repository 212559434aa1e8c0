"""The values of a call: `--parameters`, `--set`, and where the image template will live."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.document import read_source
from airflow_aib.image_template.parameters_file import read_parameters
from airflow_aib.image_template.pointers import child

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.text.source_text import SourceText

# The options that say where an image template will live.
PLACE_OPTIONS = {
    "subscription_id": "--subscription-id",
    "resource_group_name": "--resource-group",
    "location": "--location",
}


@dataclass(frozen=True)
class CallValues:
    """Hold what a call passes.

    :param from_file: values of the parameters file that `--set` does not replace
    :param assigned: what `--set` says, as it was typed
    :param place: where the image template will live, as far as the call says it
    :param file: the text of the parameters file
    :param now: what `utcNow()` writes, if the call says it
    """

    from_file: Mapping[str, Any] = field(repr=False)
    assigned: Mapping[str, str] = field(repr=False)
    place: Mapping[str, str | None]
    file: SourceText | None = field(default=None, repr=False)
    now: datetime | None = None

    @property
    def file_name(self) -> str:
        """The parameters file, empty where there is none."""
        return self.file.source if self.file else ""

    @property
    def unsaid_places(self) -> tuple[str, ...]:
        """What the call does not say of where the image template will live."""
        return tuple(name for name in PLACE_OPTIONS if not self.place[name])

    def living_in(self, place: Mapping[str, str]) -> CallValues:
        """Give the same values for another place.

        :param place: what is another, by name
        """
        return replace(self, place={**self.place, **place})

    def parameters_for(self, document: ImageTemplateDocument) -> dict[str, Any]:
        """Give the values by name: a number typed for a parameter that is declared as text is that text."""
        texts = {name.casefold() for name, declaration in document.parameters.items() if _is_text(declaration)}
        typed = {name: value if name.casefold() in texts else _typed(value) for name, value in self.assigned.items()}
        return {**self.from_file, **typed}

    def place_of(self, name: str) -> tuple[int, int]:
        """Give line and column at which the parameters file has a name."""
        if self.file is None:
            return 1, 1
        places = self.file.places
        in_arm_form = child("/parameters", name)
        pointer = in_arm_form if in_arm_form in places.by_pointer else child("", name)
        return places.position(places.nearest(pointer).start)


def values_of(options: argparse.Namespace) -> CallValues:
    """Gather the values of a call."""
    file, from_file = _parameters_file(options.parameters) if options.parameters else (None, {})
    assigned = dict(_assignment(text) for text in options.assignments)
    replaced = {name.casefold() for name in assigned}
    return CallValues(
        from_file={name: value for name, value in from_file.items() if name.casefold() not in replaced},
        assigned=assigned,
        place={name: getattr(options, name) for name in PLACE_OPTIONS},
        file=file,
        now=_moment(options.now) if options.now else None,
    )


def ways_to_pass(names: Iterable[str], options: Iterable[str] = ()) -> str:
    """Say how values that are missing are passed.

    :param names: of parameters and placeholders
    :param options: those that say where the image template will live
    """
    names = list(names)
    ways = [f"--set {name}=VALUE" for name in names] + [f"{option} VALUE" for option in options]
    return f"Pass {', '.join(ways)}{', or a file with --parameters' if names else ''}"


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        # The text may be a secret whose name was forgotten.
        raise UnusableCallError("--set takes NAME=VALUE.")
    return name.strip(), value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnusableCallError("--now takes a moment in ISO 8601, as 2026-01-31T12:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _typed(text: str) -> Any:
    """Read a number, a boolean, a list or an object; anything else, null and quoted text too, is text as it stands."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    return text if value is None or isinstance(value, str) else value


def _parameters_file(path: str) -> tuple[SourceText, dict[str, Any]]:
    try:
        parameters = read_parameters(path)
        text = read_source(path)
        text.parse()  # before its places are asked for
    except ImageTemplateError as error:
        raise UnusableCallError(f"--parameters: {error}") from error
    return text, parameters


def _is_text(declaration: Any) -> bool:
    return isinstance(declaration, dict) and str(declaration.get("type")).casefold() in {"string", "securestring"}


def _no_number(constant: str) -> Any:
    raise ValueError(constant)
