"""Commands in inline scripts that end, hang or lose a build: one row for each in a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_aib.image_template.checks.reading import customizers_of, properties_of, steps_of
from airflow_aib.image_template.checks.script_lines import Script, scripts_of
from airflow_aib.image_template.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_aib.image_template.render import RenderedImageTemplate


@dataclass(frozen=True)
class _CommandRule:
    """Say which commands a rule means.

    :param rule: its id
    :param kind: of scripts, `Shell` or `PowerShell`
    :param meant: found in such a command
    :param message: what is wrong
    :param hint: what to do
    :param unless: found in a command that is good all the same
    :param unless_anywhere: found in a script that is good all the same
    """

    rule: str
    kind: str
    meant: re.Pattern[str]
    message: str
    hint: str
    unless: re.Pattern[str] | None = None
    unless_anywhere: re.Pattern[str] | None = None


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_PACKAGES = r"(?:apt-get|apt|yum|dnf|tdnf|zypper)\s+(?:-\S+\s+){0,9}"
_SUDO = r"^(?:sudo\s+(?:-\w+\s+)*)?(?:/\S+/)?"
_REBOOT = _pattern(_SUDO + r"(?:reboot\b|shutdown\s.{0,100}(?:-r\b|--reboot\b)|init\s+6\b|systemctl\s+reboot\b)")

_RULES = (
    _CommandRule(
        "command-asks",
        "Shell",
        _pattern(
            rf"\b{_PACKAGES}(?:install|upgrade|dist-upgrade|full-upgrade|remove|purge|autoremove)\b"
            r"|\b(?:yum|dnf|tdnf|zypper)\s+(?:-\S+\s+){0,9}update\b"
        ),
        "The command asks whether to go on, and nobody answers",
        "Add -y; for zypper, --non-interactive.",
        unless=_pattern(
            r"(?:^|\s)(?:-[a-z]*y[a-z]*|--yes|--assume-?yes|-qq\w*|-q=2|--non-interactive|-n|-s|--simulate|--dry-run"
            r"|--help)(?=\s|$)|\byes\b.{0,100}\|"
            # Options may stand in what is not quoted, and in a list of words; a quoted text is one package.
            r"|(?<=\s)[$`]|\$@|\[@\]"
        ),
        unless_anywhere=_pattern(r"assume-?yes"),
    ),
    _CommandRule(
        "command-sudo",
        "Shell",
        _pattern(
            rf"^(?:\w+=\S*\s+)*(?:{_PACKAGES}(?:install|update|upgrade|dist-upgrade|remove|purge)\b"
            r"|systemctl\s+(?:enable|disable|start|stop|restart|mask)\b|(?:useradd|usermod|groupadd)\s|dpkg\s+-i\b"
            r"|rpm\s+-[ieU])"
        ),
        "The command needs rights of root, and scripts run as an ordinary user",
        "Write sudo before it.",
        unless_anywhere=_pattern(r"\bsudo\s+(?:-\w+\s+){0,9}(?:su|bash|sh)\b|\bsudo\s+-[is]\b|<<|\bid -u\b|\bEUID\b"),
    ),
    _CommandRule(
        "script-power-off",
        "Shell",
        _pattern(_SUDO + r"(?:poweroff|halt|shutdown|init\s+0|systemctl\s+(?:poweroff|halt))\b"),
        "The build VM does not come back from this",
        "Leave it out: the service stops the VM when the build is over.",
        unless=_pattern(r"\s(?:-[a-z]*[rc]|--reboot)\b"),
    ),
    _CommandRule(
        "script-power-off",
        "PowerShell",
        _pattern(r"^Stop-Computer\b|^(?:\S*\\)?shutdown(?:\.exe)?\s.{0,100}[/-]s\b"),
        "The build VM does not come back from this",
        "Leave it out: the service stops the VM when the build is over.",
    ),
    _CommandRule(
        "script-restart",
        "PowerShell",
        _pattern(r"^Restart-Computer\b|^(?:\S*\\)?shutdown(?:\.exe)?\s.{0,100}[/-][rg]\b"),
        "A restart inside a script cuts the script off, and nobody waits for it",
        "Use a WindowsRestart customizer.",
    ),
    _CommandRule(
        "connection-closed",
        "Shell",
        _pattern(
            _SUDO + r"(?:systemctl\s+(?:stop|(?:disable|mask)\s+--now)\s+(?:ssh|sshd)\b|service\s+sshd?\s+stop\b"
            r"|ufw\s+(?:deny|reject)\s+(?:22|ssh|openssh)\b|iptables\s+-P\s+INPUT\s+DROP\b)"
        ),
        "This ends the connection over which the build goes on",
        "Leave SSH, port 22, open until the build is over.",
    ),
    _CommandRule(
        "connection-closed",
        "PowerShell",
        _pattern(r"^(?:Stop-Service\s+(?:-Name\s+)?[\"']?WinRM\b|net\s+stop\s+winrm\b|Disable-PSRemoting\b)"),
        "This ends the connection over which the build goes on",
        "Leave WinRM, port 5986, open until the build is over.",
    ),
)


def check_scripts(rendered: RenderedImageTemplate) -> Iterator[Finding]:
    """Report commands that end, hang or lose the build."""
    properties = properties_of(rendered)
    for script in scripts_of(steps_of(properties)):
        yield from _blank(script)
        for rule in _RULES:
            yield from _meant(rule, script)
    for script in scripts_of(customizers_of(properties)):
        yield from _restart(script)


def _blank(script: Script) -> Iterator[Finding]:
    if script.has_lines and not script.commands:
        yield warning(f"{script.path}/inline", "script-blank", "The script does nothing", "Leave the step out.")


def _meant(rule: _CommandRule, script: Script) -> Iterator[Finding]:
    if script.kind != rule.kind or (rule.unless_anywhere and rule.unless_anywhere.search(script.text)):
        return
    for command in script.commands:
        if rule.meant.search(command.text) and not (rule.unless and rule.unless.search(command.text)):
            yield warning(command.path, rule.rule, rule.message, rule.hint)


def _restart(script: Script) -> Iterator[Finding]:
    """Report commands after a restart, which race with it."""
    for before, after in zip(script.commands, script.commands[1:], strict=False):
        if script.kind == "Shell" and _REBOOT.search(before.text):
            yield warning(
                after.path,
                "restart-last",
                "This comes after a restart in the same step, and may be cut off",
                "Put it into a step of its own: the service tries for 20 minutes to connect again.",
            )
