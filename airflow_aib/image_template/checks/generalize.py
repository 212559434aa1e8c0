"""How the image is made general at the end: by the service, or by a script of one's own in the one right place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.checks.reading import customizers_of, properties_of, text_of
from airflow_aib.image_template.checks.script_lines import Command, Script, scripts_of
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.members.kinds import target_os

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.render import RenderedImageTemplate

LINUX_SCRIPT = "/tmp/DeprovisioningScript.sh"  # noqa: S108 - the build VM's, where the service looks for it
WINDOWS_SCRIPT = "c:\\DeprovisioningScript.ps1"

_NAME = "deprovisioningscript"
# Tried where a word begins and nowhere else: words may be long, as what base64 writes.
_IN_PATH = r"[\w$%{}():.~+/\\-]"
_MENTION = re.compile(
    rf"(?<!{_IN_PATH})(?P<folder>{_IN_PATH}*?)(?P<name>deprovisioningscript(?:\.\w+)*)", re.IGNORECASE
)
_REMOVES = re.compile(r"^(?:sudo\s+)?(?:rm|unlink|shred|Remove-Item|ri|del|erase)\s", re.IGNORECASE)
_EMPTIES_TMP = re.compile(r"^(?:sudo\s+)?rm\s+-\w*r\w*\s+[\"']?/tmp(?:/\*|/?(?=\s|$))")
_DEPROVISIONS = {
    "Shell": re.compile(r"\bwaagent\b.{0,100}\s-{1,2}deprovision", re.IGNORECASE),
    "PowerShell": re.compile(r"\bsysprep(?:\.exe)?\b.{0,100}[/-]generalize", re.IGNORECASE),
}


def check_generalize(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report a deprovisioning script where the service does not find it, and scripts that do its work too early."""
    properties = properties_of(rendered)
    customizers, system = customizers_of(properties), target_os(properties)
    scripts = scripts_of(customizers)
    mentions = [*_in_scripts(scripts, system), *_in_files(customizers, system)]
    wrong = [one for one in mentions if not _is_right(*one[1:])]
    if len(wrong) == len(mentions):
        for path, _, _, os in wrong:
            expected = WINDOWS_SCRIPT if os == "Windows" else LINUX_SCRIPT
            yield warning(
                path, "deprovision-path", "The service does not look for this script here", f"Write {expected}."
            )
    yield from _removed([command for script in scripts for command in script.commands])
    if not mentions:
        yield from _too_early(scripts)


def _in_scripts(scripts: list[Script], system: str | None) -> Iterator[tuple[str, str, str, str]]:
    for script in scripts:
        os = system or "Windows" if script.kind == "PowerShell" else "Linux"
        for command in script.commands if _NAME in script.text.casefold() else ():
            for mention in _MENTION.finditer(command.text):
                yield command.path, mention["folder"], mention["name"], os


def _in_files(
    customizers: list[tuple[str, Mapping[str, Any]]], system: str | None
) -> Iterator[tuple[str, str, str, str]]:
    for path, step in customizers:
        destination = text_of(step, "destination")
        mention = _MENTION.fullmatch(destination)
        if mention is not None:
            os = system or ("Linux" if destination.startswith("/") else "Windows")
            yield f"{path}/destination", mention["folder"], mention["name"], os


def _is_right(folder: str, name: str, os: str) -> bool:
    """Whether the service looks there; a variable may hold the right folder, and a script may stand in it."""
    is_unknown = not folder or any(sign in folder for sign in "$%`")
    if os == "Linux":
        return name == "DeprovisioningScript.sh" and (is_unknown or folder == "/tmp/")  # noqa: S108 - as above
    flat = re.sub(r"[\\/]+", "/", folder).casefold()
    return name.casefold() == "deprovisioningscript.ps1" and (is_unknown or flat in {"c:/", "/"})


def _removed(commands: list[Command]) -> Iterator[Finding]:
    """Report the last command that removes the script after it was written."""
    is_written, removed_at = False, None
    for command in commands:
        names_it = _NAME in command.text.casefold()
        if is_written and (_EMPTIES_TMP.search(command.text) or (names_it and _REMOVES.search(command.text))):
            removed_at = command.path
        elif names_it and not _REMOVES.search(command.text):
            is_written, removed_at = True, None
    if removed_at is not None:
        yield warning(
            removed_at,
            "deprovision-removed",
            "This removes the deprovisioning script that was written before",
            "Leave it: the service runs it after the last customizer.",
        )


def _too_early(scripts: list[Script]) -> Iterator[Finding]:
    for script in scripts:
        pattern = _DEPROVISIONS.get(script.kind)
        for command in script.commands if pattern else ():
            if pattern and pattern.search(command.text):
                yield warning(
                    command.path,
                    "deprovision-twice",
                    "The service generalizes the image itself, after the last customizer",
                    f"Leave it out, or write your own script to {LINUX_SCRIPT} or {WINDOWS_SCRIPT}.",
                )
