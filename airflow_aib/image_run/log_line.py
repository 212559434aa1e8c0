"""One line of Packer's log, in all forms that AIB writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from airflow_aib.image_run.harmless_lines import is_harmless

LineSource = Literal["vm", "ui", "packer", "plain"]

_PREFIX = re.compile(
    r"(?:\[(?P<operation_id>[0-9a-fA-F-]{36})\] )?PACKER (?:(?P<stream>OUT|ERR) ?)?"
    r"(?:(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) )?(?P<logged>ui(?: error)?: )?(?P<rest>.*)",
    re.DOTALL,
)
_VM = re.compile(r"    azure-arm(?:\.[\w-]+)?: ?(?P<text>.*)", re.DOTALL)
_UI = re.compile(r"(?:==>|-->) azure-arm(?:\.[\w-]+)?: ?(?P<text>.*)", re.DOTALL)
_TELEMETRY = re.compile(r"\(telemetry\) (?P<what>Starting provisioner|ending) (?P<kind>[\w-]+)")


@dataclass(frozen=True)
class LogLine:
    """Hold one line of the customization log, taken apart.

    :param text: what was said, without any prefix
    :param source: `vm`: output of the build VM; `ui`: a message of Packer's, or the VM's error output, which looks the
        same; `packer`: Packer's own debugging; `plain`: none of these
    :param time: as written, `2020/04/30 23:38:58`, where the line has one
    :param operation_id: what the service's message calls operation id
    :param is_logged: whether Packer's log said it; the newer form has each message a second time, without time
    :param starts: kind of the provisioner that begins here
    :param ends: kind of what ends here
    """

    text: str
    source: LineSource
    time: str | None = None
    operation_id: str | None = None
    is_logged: bool = False
    starts: str | None = None
    ends: str | None = None

    @property
    def is_output(self) -> bool:
        """Whether a person who wrote the customizers would want to read it."""
        return self.source in {"vm", "ui"} and bool(self.text.strip())

    @property
    def is_harmless(self) -> bool:
        """Whether it looks like a failure and is none."""
        return is_harmless(self.text)


def parse_log_line(line: str) -> LogLine:
    """Take one line apart; a line of no known form is `plain`."""
    prefix = _PREFIX.fullmatch(line)
    rest = prefix["rest"] if prefix else line
    text, source = _said(rest, is_packers=prefix is not None)
    # A script may print Packer's words too.
    is_debugging = source in {"packer", "plain"} and "(telemetry)" in rest
    telemetry = _TELEMETRY.search(rest) if is_debugging else None
    begins = telemetry is not None and telemetry["what"] == "Starting provisioner"
    return LogLine(
        text=text,
        source=source,
        time=prefix["time"] if prefix else None,
        operation_id=prefix["operation_id"] if prefix else None,
        is_logged=bool(prefix and prefix["logged"]),
        starts=telemetry["kind"] if telemetry and begins else None,
        ends=telemetry["kind"] if telemetry and not begins else None,
    )


def _said(rest: str, *, is_packers: bool) -> tuple[str, LineSource]:
    if match := _VM.fullmatch(rest):
        return match["text"], "vm"
    if match := _UI.fullmatch(rest):
        return match["text"], "ui"
    if rest.startswith(("==> ", "Build '")):
        return rest.removeprefix("==> "), "ui"
    return rest, "packer" if is_packers else "plain"
