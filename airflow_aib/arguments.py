"""What arguments must be, said where the DAG file is parsed; it loads nothing else, since DAG files load it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Seconds = TypeVar("Seconds", float, float | None)
Choice = TypeVar("Choice", bound=str)
Duration = TypeVar("Duration", timedelta, timedelta | None)

# Beyond it no calendar has a name for the moment at which a wait would end.
MOST_SECONDS = 10**10

_JINJA = re.compile(r"\{[{%#]")
_CONTAINER = r"(?:\$web|\$root|(?=[^/]{3,63}(?:/|$))[a-z0-9](?:-?[a-z0-9])+)"
_CONTAINER_PLACE = re.compile(rf"/*(?:[a-z0-9]{{3,24}}/+{_CONTAINER}|(?i:https)://[^/@]+/+[^/]+)(?:/.*)?", re.DOTALL)
_OTHER_PLACE = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*://.*[^/].*", re.DOTALL | re.IGNORECASE)
_CONTAINER_FORM = "account/container[/folder], or the container's https address"


def require_interval(name: str, value: Seconds) -> Seconds:
    """Give back the seconds between two looks, or say what is wrong with them; None leaves them to others."""
    if _is_from(value, 0) and value != 0:
        return value
    raise ValueError(f"{name} is {value!r}; it must be a number of seconds above 0, such as 30")


def require_seconds(name: str, value: Seconds) -> Seconds:
    """Give back how many seconds something may take, or say what is wrong with them; None leaves them to others."""
    if _is_from(value, 0):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a number of seconds, 0 or above, such as 3600")


def require_allowance(name: str, value: Seconds) -> Seconds:
    """Give back seconds that come on top of a limit, or are taken off it; or say what is wrong with them."""
    if _is_from(value, -MOST_SECONDS):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a number of seconds, such as 3600")


def require_duration(name: str, value: Duration) -> Duration:
    """Give back a duration, or say what is wrong with it; None means that there is none."""
    if _is_duration(value):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a timedelta above 0, such as timedelta(days=1)")


def require_count(name: str, value: int) -> int:
    """Give back how many there may be, or say what is wrong with it."""
    if _is_from(value, 1) and isinstance(value, int):
        return value
    raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or above")


def require_choice(name: str, value: Choice, choices: Sequence[Choice]) -> Choice:
    """Give back one of a few words, or say what is wrong with it."""
    if value in choices:
        return value
    raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, choices))}")


def require_choices(name: str, value: Any, choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Give back some of a few words as a tuple, one alone too, or say what is wrong with them."""
    words = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Collection) else ()
    if words and all(word in choices for word in words):
        return words
    raise ValueError(f"{name} is {value!r}; it must be one or several of {', '.join(map(repr, choices))}")


def require_container(name: str, value: Any) -> Any:
    """Give back where blobs go, or say what is wrong with it; what Airflow has yet to fill in is left alone."""
    if is_filled_in_later(value) or (isinstance(value, str) and _CONTAINER_PLACE.fullmatch(value.strip())):
        return value
    raise ValueError(f"{name} is {_without_signature(value)}; it must be {_CONTAINER_FORM}")


def require_place(name: str, value: Any) -> Any:
    """Give back where files go, also one with another scheme, or say what is wrong with it."""
    if isinstance(value, str) and _OTHER_PLACE.fullmatch(value.strip()):
        return value
    try:
        return require_container(name, value)
    except ValueError as error:
        raise ValueError(f"{error}, or a path with another scheme, such as s3://aws_default@bucket/folder") from None


def require_document(name: str, value: Any) -> Any:
    """Give back a document or its parameters, as a path or as content, or say what is wrong with it."""
    if is_filled_in_later(value) or isinstance(value, str | Path | Mapping):
        return value
    raise ValueError(f"{name} is {_kind(value)}; it must be the path of a file, or its content as a mapping")


def require_reasons(name: str, value: Any) -> Any:
    """Give back rules with the reason for each, or say what is wrong with them; None means none."""
    if value is None or isinstance(value, Mapping):
        return value
    raise ValueError(f"{name} is {_kind(value)}; it must be a mapping from each rule to the reason for it")


def require_image_template(
    task_id: str,
    image_template_id: Any,
    resource_group_name: Any,
    image_template_name: Any,
    *,
    is_known_otherwise: bool = False,
) -> None:
    """Say what is wrong where an image template is named in two ways, by half, or in none.

    :param is_known_otherwise: whether the task need not be told which one
    """
    if image_template_id and image_template_name:
        raise ValueError(f"Task {task_id} is given image_template_id and image_template_name; it must be one of them")
    if image_template_id or (resource_group_name and image_template_name):
        return
    if image_template_name or not is_known_otherwise:
        raise ValueError(
            f"Task {task_id} names no image template; it must be given image_template_id, or resource_group_name and "
            "image_template_name"
        )


def is_filled_in_later(value: Any) -> bool:
    """Whether Airflow puts something else in its place when the task runs: for a Jinja template, or an XComArg."""
    return bool(_JINJA.search(value)) if isinstance(value, str) else hasattr(value, "iter_references")


def _without_signature(value: Any) -> str:
    # A user in an address comes with a password.
    if not isinstance(value, str):
        return repr(value)
    return repr(re.sub(r"(?<=://)[^/]*@", "...@", value.partition("?")[0]))


def _kind(value: Any) -> str:
    # The value itself may hold secrets.
    return type(value).__name__


def _is_from(value: Any, lowest: float) -> bool:
    # Python takes True for 1.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (is_number and lowest <= value < MOST_SECONDS)


def _is_duration(value: Any) -> bool:
    return value is None or (isinstance(value, timedelta) and 0 < value.total_seconds() < MOST_SECONDS)
