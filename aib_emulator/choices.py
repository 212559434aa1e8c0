"""What nobody knows of the service: for each such answer those that it may give, of which one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ChoiceError(ValueError):
    """A choice that there is not, or a value that it does not have."""


@dataclass(frozen=True)
class Choice:
    """Describe an answer that no source shows.

    :param values: what it may be, the usual one first
    :param about: what is chosen, for people
    """

    values: tuple[str, ...]
    about: str

    @property
    def usual(self) -> str:
        """What is chosen unless somebody says otherwise."""
        return self.values[0]


CHOICES: Mapping[str, Choice] = {
    "validation-failed-status": Choice(("400", "422"), "HTTP status of `ValidationFailed`"),
    "conflict-status": Choice(("409", "400"), "HTTP status of `Conflict`"),
    "operation-not-allowed-status": Choice(("405", "409", "400"), "HTTP status of `OperationNotAllowed`"),
    "canceled-run-operation": Choice(("Canceled", "Failed", "Succeeded"), "operation of a run that was cancelled"),
    "failed-creation-operation": Choice(
        ("plain", "nested"),
        "error of a failed creation's operation; nested lies in the details of `ResourceDeploymentFailure`",
    ),
    "partial-run-operation": Choice(("Failed", "Succeeded"), "operation of a run that succeeded in part"),
    "location-while-running": Choice(("200", "202"), "HTTP status at `Location` before the end"),
    "patch": Choice(("done", "polled"), "PATCH of more than tags; done is 200, polled is 202 with an operation"),
    "idle-cancel": Choice(("refused", "accepted"), "cancel when nothing runs; accepted is 204 and changes nothing"),
    "cancel-status": Choice(
        ("204", "202", "200"), "HTTP status of a cancel; 202 with an operation that ends with the run"
    ),
    "second-run": Choice(("refused", "joined"), "run while one goes on; joined is 202 with the operation of that one"),
    "second-delete": Choice(("joined", "refused"), "delete of what is being deleted, likewise"),
    "second-trigger": Choice(("joined", "refused"), "PUT of a trigger that exists; joined is 200 with what there is"),
    "trigger-off-status": Choice(
        ("unchanged", "reported"), "status of a trigger that failures have switched off; reported is code `Inactive`"
    ),
    "staging-tags": Choice(
        ("service", "id"), "value of `createdBy` and `usedBy`: `AzureVMImageBuilder`, or the image template's id"
    ),
    "run-outputs-while-running": Choice(("new", "previous"), "those of the run that goes on, or of the one before"),
    "run-output-not-found": Choice(("ResourceNotFound", "NotFound"), "code of the 404 for a missing run output"),
    "run-outputs-link": Choice(
        ("absolute", "relative"), "`nextLink` of run outputs: a whole address, or a path as in the official example"
    ),
    "run-sub-states": Choice(("recorded", "all"), "all shows `Customizing`, `Optimizing` and `Validating` too"),
    "list-form": Choice(
        ("compact", "indented"),
        "lists of image templates: compact with `x-ms-original-request-ids` as in 2025, or indented as in 2023",
    ),
    "system-data": Choice(("absent", "shown"), "`systemData` of image templates from 2024-02-01 on"),
}


def check_choices(chosen: Mapping[str, str]) -> None:
    """Refuse a name that is no choice, and a value that the choice does not have."""
    for name, value in chosen.items():
        choice = CHOICES.get(name)
        if choice is None:
            raise ChoiceError(f"There is no choice {name!r}. There are {', '.join(CHOICES)}.")
        if value not in choice.values:
            raise ChoiceError(f"{name}={value!r} is not possible: use one of {', '.join(choice.values)}.")


def read_choices(texts: Iterable[str]) -> dict[str, str]:
    """Read what people write: `NAME=VALUE` each."""
    parts = [(text, *text.partition("=")) for text in texts]
    for text, _, separator, _ in parts:
        if not separator:
            raise ChoiceError(f"The choice {text!r} says no value: write it as NAME=VALUE.")
    return {name: value for _, name, _, value in parts}


class Choices:
    """Keep what is chosen.

    :param at_start: what differs from the usual when the emulator starts and after each reset
    """

    def __init__(self, at_start: Mapping[str, str] | None = None) -> None:
        self._at_start = dict(at_start or {})
        check_choices(self._at_start)
        self._changed: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """Return what is chosen for `name`."""
        return self.all()[name]

    def all(self) -> dict[str, str]:
        """Return every choice."""
        return {**{name: choice.usual for name, choice in CHOICES.items()}, **self._at_start, **self._changed}

    def change(self, chosen: Mapping[str, str]) -> None:
        """Choose otherwise from now on, until the next reset."""
        check_choices(chosen)
        self._changed.update(chosen)

    def clear(self) -> None:
        """Go back to what was chosen at the start."""
        self._changed.clear()
