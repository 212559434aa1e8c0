from __future__ import annotations

from typing import Any

import pytest

from tests.unit.airflow_aib.image_template.checks.findings import customizer_rules, findings, rules
from tests.unit.airflow_aib.image_template.sample_documents import platform_image

WINDOWS = platform_image("MicrosoftWindowsServer") | {"sku": "2022-datacenter-g2"}
CHECKSUM = "ade4c5214c3c675e92c66e2d067a870c5b81b9844b3de3cc72c49ff36425fc93"


def shell(**members: Any) -> dict[str, Any]:
    """Build a Shell customizer."""
    return {"type": "Shell", "inline": ["true"], **members}


def file(destination: str, **members: Any) -> dict[str, Any]:
    """Build a File customizer."""
    return {"type": "File", "sourceUri": "https://a/b", "destination": destination, **members}


def test_names_are_unique() -> None:
    """Two customizers cannot have one name; the second is pointed at."""
    (finding,) = findings(customize=[shell(name="a"), shell(name="b"), shell(name="a")])

    assert (finding.severity, finding.rule) == ("warning", "customize-name-unique")
    assert finding.path == "/properties/customize/2/name"
    assert "/properties/customize/0" in finding.message


def test_names_may_be_absent() -> None:
    """Customizers without a name do not collide, nor do names that differ in letter case."""
    assert customizer_rules(shell(), shell(), shell(name=""), shell(name=""), shell(name="a"), shell(name="A")) == []


@pytest.mark.parametrize("kind", ["Shell", "PowerShell"])
def test_script_or_inline(kind: str) -> None:
    """A script step has exactly one of scriptUri and inline."""
    assert customizer_rules({"type": kind, "scriptUri": "https://a/b"}) == []
    assert customizer_rules({"type": kind, "inline": ["a"], "scriptUri": ""}) == []
    assert customizer_rules({"type": kind}) == ["error script-or-inline"]
    assert customizer_rules({"type": kind, "inline": []}) == ["error script-or-inline"]
    assert customizer_rules({"type": kind, "inline": ["a"], "scriptUri": "https://a/b"}) == ["warning script-or-inline"]


@pytest.mark.parametrize("member", ["scriptUri", "sourceUri"])
def test_addresses(member: str) -> None:
    """An address that is none is doubtful, and not quoted: it may hold a signature."""
    step = {"type": "Shell"} if member == "scriptUri" else {"type": "File", "destination": "/tmp/x"}
    (finding,) = findings(customize=[step | {member: "ftp://a/b?sig=abc"}])

    assert (finding.severity, finding.rule) == ("warning", "address-form")
    assert "abc" not in str(finding)


@pytest.mark.parametrize(
    ("checksum", "expected"),
    [
        (CHECKSUM, []),
        (CHECKSUM.upper(), ["warning checksum-case"]),
        ("", []),
        (CHECKSUM[:-1], ["error checksum-form"]),
        ("md5:abc", ["error checksum-form"]),
    ],
)
def test_checksums(checksum: str, expected: list[str]) -> None:
    """A checksum is 64 hexadecimal digits, or empty, which the service ignores."""
    assert customizer_rules({"type": "Shell", "scriptUri": "https://a/b", "sha256Checksum": checksum}) == expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("/tmp/x", []),
        ("/tmp/a/b", []),
        ("/etc/motd", ["warning file-destination"]),
        ("tmp/x", ["warning file-destination"]),
        ("/tmp/../etc/motd", ["warning file-destination"]),
        ("/tmp/", ["warning file-destination"]),
    ],
)
def test_files_on_linux(destination: str, expected: list[str]) -> None:
    """On Linux a file goes under /tmp, with a file name."""
    assert customizer_rules(file(destination)) == expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("c:\\tools\\x.exe", []),
        ("c:/tools/x.exe", []),
        ("\\tools\\x.exe", []),
        ("$env:TEMP\\x.exe", []),
        ("%TEMP%\\x.exe", []),
        ("c:\\tools\\", ["warning file-destination"]),
        ("tools\\x.exe", ["warning file-destination"]),
    ],
)
def test_files_on_windows(destination: str, expected: list[str]) -> None:
    """On Windows a file goes anywhere, by its whole path."""
    assert customizer_rules(file(destination), source=WINDOWS) == expected


def test_files_need_a_destination() -> None:
    """A file without source or destination is doubtful, and said once: the schema takes it."""
    assert customizer_rules({"type": "File", "sourceUri": "https://a/b"}) == ["warning file-incomplete"]
    assert customizer_rules({"type": "File"}) == ["warning file-incomplete"]
    assert "no sourceUri and no destination" in findings(customize=[{"type": "File"}])[0].message


def test_files_on_an_unknown_system() -> None:
    """Where the system is not known, any place may be right."""
    assert customizer_rules(file("/etc/motd"), source=platform_image("contoso")) == []


@pytest.mark.parametrize(
    "timeout", ["5m", "2h", "90s", "1h30m", "1.5h", "300000ms", ".5h", "1.h", "+5m", "0", "5μs", ""]
)
def test_restart_timeouts(timeout: str) -> None:
    """A duration is a number and a unit, maybe several."""
    assert customizer_rules({"type": "WindowsRestart", "restartTimeout": timeout}, source=WINDOWS) == []


@pytest.mark.parametrize("timeout", ["5", "5 m", "five minutes", "5M", "PT5M", "m", "5m "])
def test_wrong_restart_timeouts(timeout: str) -> None:
    """What is no number and unit is refused."""
    assert customizer_rules({"type": "WindowsRestart", "restartTimeout": timeout}, source=WINDOWS) == [
        "error restart-timeout-form"
    ]


@pytest.mark.parametrize(
    ("minutes", "timeout", "expected"),
    [
        (90, "1h", []),
        (90, "1h30m", ["warning restart-timeout-long"]),
        (90, "5400s", ["warning restart-timeout-long"]),
        (0, "239m", []),
        (None, "4h", ["warning restart-timeout-long"]),
    ],
)
def test_long_restarts(minutes: int | None, timeout: str, expected: list[str]) -> None:
    """A restart that may take as long as the build says nothing when it fails; by default a build has four hours."""
    restart = {"type": "WindowsRestart", "restartTimeout": timeout}

    assert customizer_rules(restart, source=WINDOWS, buildTimeoutInMinutes=minutes) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(20, []), (0, []), (1000, []), (1001, ["warning update-limit"]), (-1, ["error member-range"])],
)
def test_update_limits(limit: int, expected: list[str]) -> None:
    """At most 1000 updates are installed."""
    assert customizer_rules({"type": "WindowsUpdate", "updateLimit": limit}, source=WINDOWS) == expected


def test_run_as_system_needs_elevation() -> None:
    """RunAsSystem is refused without runElevated."""
    powershell = {"type": "PowerShell", "inline": ["a"], "runAsSystem": True}

    assert customizer_rules(powershell, source=WINDOWS) == ["warning run-as-system"]
    assert customizer_rules(powershell | {"runElevated": True}, source=WINDOWS) == []


def test_steps_of_the_other_system() -> None:
    """A step of the other system is doubtful where the source tells the system."""
    assert customizer_rules(shell(), source=WINDOWS) == ["warning step-system"]
    assert customizer_rules({"type": "WindowsUpdate"}) == ["warning step-system"]
    assert customizer_rules({"type": "WindowsRestart"}, source=platform_image("contoso")) == []
    assert customizer_rules({"type": "PowerShell", "inline": ["a"]}) == []


def test_types_of_members() -> None:
    """Wrong types are refused, each where it stands."""
    found = findings(
        customize=[
            {"type": "PowerShell", "inline": "a", "validExitCodes": ["x"], "runElevated": "perhaps"},
            {"type": "Shell", "inline": [1]},
            "text",
        ]
    )

    assert {finding.path for finding in found if finding.rule == "member-type"} == {
        "/properties/customize/0/validExitCodes/0",
        "/properties/customize/0/runElevated",
        "/properties/customize/1/inline/0",
        "/properties/customize/2",
    }


def test_customizers_of_no_kind() -> None:
    """A customizer of an unknown kind is refused with the kinds that there are."""
    (finding,) = findings(customize=[{"type": "Ansible"}])

    assert (finding.rule, finding.path) == ("kind-unknown", "/properties/customize/0/type")
    assert "Shell, PowerShell, File, WindowsRestart, WindowsUpdate" in finding.hint


def test_customizers_may_be_absent() -> None:
    """An image template without customizers is good."""
    assert rules(customize=None) == []
    assert rules(customize=[]) == []


def test_customize_must_be_a_list() -> None:
    """The published skeleton writes an object; the service takes a list."""
    assert rules(customize={}) == ["error member-type"]


def test_validators_follow_the_same_rules() -> None:
    """Validators are scripts and files too, of three kinds."""
    validators = [{"type": "Shell"}, {"type": "WindowsUpdate"}, file("/etc/x")]

    assert rules(validate={"inVMValidations": validators}) == [
        "error kind-unknown",
        "error script-or-inline",
        "warning step-system",
        "warning file-destination",
    ]
