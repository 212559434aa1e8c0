"""The steps inside the build VM: customizers, and validators, which take the same scripts and files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import customizers_of, properties_of, steps_of, text_of
from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.members.kinds import CUSTOMIZERS, target_os

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

MOST_UPDATES = 1000
DEFAULT_BUILD_MINUTES = 240

_SCRIPT_KINDS = frozenset({"Shell", "PowerShell"})
# How Go, in which AIB is written, reads durations: 5m, 2h, 1h30m, .5h, and 0 without a unit.
_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_DURATION = re.compile(rf"[+-]?(?:0|(?:{_NUMBER}(?:ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_UNITS = {"h": 60.0, "m": 1.0, "s": 1 / 60}
_WHOLE_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/].*|[$%].*")


def check_customize(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report steps that AIB refuses, or that fail in the build VM."""
    properties = properties_of(rendered)
    system = target_os(properties)
    yield from _unique_names(customizers_of(properties))
    yield from _slow_restarts(properties)
    for path, step in steps_of(properties):
        yield from _script(step, path)
        yield from _system(step, path, system)
        yield from _KIND_CHECKS.get(str(step.get("type")), _nothing)(step, path, system)


def _unique_names(customizers: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for path, customizer in customizers:
        name = customizer.get("name")
        if not isinstance(name, str) or not name:
            continue
        if name in first:
            # Documented as a must; yet image templates that do not heed it have been published as working ones.
            yield warning(
                f"{path}/name", "customize-name-unique", f"The name {name!r} has {first[name]} too", "Rename one."
            )
        first.setdefault(name, path)


def _script(step: Mapping[str, Any], path: str) -> Iterator[Finding]:
    if str(step.get("type")) not in _SCRIPT_KINDS:
        return
    has_script, has_inline = bool(step.get("scriptUri")), bool(step.get("inline"))
    if not has_script and not has_inline:
        yield error(path, "script-or-inline", "There is neither 'scriptUri' nor 'inline'", "Write one of them.")
    elif has_script and has_inline:
        # Documented as alternatives; what the service makes of both is not known.
        yield warning(path, "script-or-inline", "There are both 'scriptUri' and 'inline'", "Write only one of them.")


def _system(step: Mapping[str, Any], path: str, system: str | None) -> Iterator[Finding]:
    kind = CUSTOMIZERS.find(step.get("type"))
    if kind is not None and system is not None and system not in kind.os:
        yield warning(
            f"{path}/type",
            "step-system",
            f"{kind.name} works on {kind.os[0]}, and the source looks like {system}",
            f"{'Use Shell' if system == 'Linux' else 'Use PowerShell'}, or correct the source.",
        )


def _file(step: Mapping[str, Any], path: str, system: str | None) -> Iterator[Finding]:
    missing = [member for member in ("sourceUri", "destination") if not step.get(member)]
    if missing:
        # The official schema takes it so; what the service says to it is not known.
        yield warning(
            path, "file-incomplete", f"The file has no {' and no '.join(missing)}, so nothing can be copied", "Add it."
        )
    yield from _destination(step, path, system)


def _destination(step: Mapping[str, Any], path: str, system: str | None) -> Iterator[Finding]:
    destination = text_of(step, "destination")
    if not destination:
        return
    is_in_tmp = destination.startswith("/tmp/") and "/../" not in destination  # noqa: S108 - the build VM's own folder
    if system == "Linux" and not is_in_tmp:
        yield warning(
            f"{path}/destination",
            "file-destination",
            f"On Linux AIB writes files under /tmp only, not to {destination!r}",
            "Write it there and move it in a Shell customizer with sudo.",
        )
    if system == "Windows" and not _WHOLE_WINDOWS_PATH.fullmatch(destination):
        yield warning(
            f"{path}/destination",
            "file-destination",
            f"{destination!r} is no whole path",
            "Begin with the drive, as c:\\.",
        )
    if destination.endswith(("/", "\\")):
        yield warning(
            f"{path}/destination",
            "file-destination",
            "The destination needs a file name, not only a folder",
            "Write the whole path of the file.",
        )


def _restart(step: Mapping[str, Any], path: str, _system: str | None) -> Iterator[Finding]:
    timeout = step.get("restartTimeout")
    if isinstance(timeout, str) and timeout and not _DURATION.fullmatch(timeout):
        yield error(
            f"{path}/restartTimeout",
            "restart-timeout-form",
            f"{timeout!r} is no duration",
            "Write a number and a unit, as 5m or 2h.",
        )


def _update(step: Mapping[str, Any], path: str, _system: str | None) -> Iterator[Finding]:
    limit = step.get("updateLimit")
    if isinstance(limit, int) and limit > MOST_UPDATES:
        yield warning(
            f"{path}/updateLimit",
            "update-limit",
            f"At most {MOST_UPDATES} updates are installed, not {limit}",
            f"Write {MOST_UPDATES}, or leave it out.",
        )
    filters = step.get("filters")
    for index, text in enumerate(filters if isinstance(filters, list) else ()):
        if isinstance(text, str) and not text.startswith(("include:", "exclude:")):
            yield warning(
                f"{path}/filters/{index}",
                "update-filter",
                f"{text!r} is no filter",
                "Begin with 'include:' or 'exclude:'.",
            )


def _powershell(step: Mapping[str, Any], path: str, system: str | None) -> Iterator[Finding]:
    if step.get("runAsSystem") is True and step.get("runElevated") is not True:
        # The schema's words say so; templates that do not heed them have been published as working ones.
        yield warning(
            f"{path}/runAsSystem",
            "run-as-system",
            "'runAsSystem' can only be true where 'runElevated' is true",
            "Set runElevated to true.",
        )
    if step.get("runElevated") is True and system == "Linux":
        yield warning(
            f"{path}/runElevated",
            "elevated-system",
            "Only Windows knows elevation, and the source looks like Linux",
            "Leave it out, and write sudo in the script.",
        )


def _slow_restarts(properties: Mapping[str, Any]) -> Iterator[Finding]:
    """Report restarts that may take as long as the whole build."""
    build = properties.get("buildTimeoutInMinutes")
    minutes = build if isinstance(build, int) and build > 0 else DEFAULT_BUILD_MINUTES
    for path, step in customizers_of(properties):
        timeout = text_of(step, "restartTimeout")
        if _DURATION.fullmatch(timeout) and _minutes(timeout) >= minutes:
            yield warning(
                f"{path}/restartTimeout",
                "restart-timeout-long",
                f"The build is ended after {minutes} minutes, before the restart is",
                "Shorten it, or give the build more time in buildTimeoutInMinutes.",
            )


def _minutes(duration: str) -> float:
    parts = re.findall(rf"({_NUMBER})([a-zµμ]+)", duration.removeprefix("+"))
    return sum(float(number) * _UNITS.get(unit, 0.0) for number, unit in parts)


def _nothing(_step: Mapping[str, Any], _path: str, _system: str | None) -> Iterator[Finding]:
    yield from ()


_KIND_CHECKS = {"File": _file, "WindowsRestart": _restart, "WindowsUpdate": _update, "PowerShell": _powershell}
