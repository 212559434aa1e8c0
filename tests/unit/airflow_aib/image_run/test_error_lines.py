from __future__ import annotations

import pytest

from airflow_aib.image_run.error_lines import is_consequence, is_error_line, is_network_trouble

ERRORS = [
    "E: Unable to locate package does-not-exist",
    "E: Package 'x' has no installation candidate",
    "Err:7 http://archive.example jammy InRelease",
    "error: externally-managed-environment",
    "ERROR: Could not find a version that satisfies the requirement nothing",
    "Error: Nothing to do",
    "fatal: repository 'https://git.example/x' not found",
    "script.sh: line 3: foo: command not found",
    "DeprovisioningScript.sh: 1: /usr/sbin/waagent: not found",
    "cp: cannot stat '/opt/a': No such file or directory",
    "mkdir: cannot create directory '/opt': Permission denied",
    "tar: write error: no space left on device",
    "curl: (22) The requested URL returned error: 404",
    "npm ERR! code ELIFECYCLE",
    "make: *** [Makefile:3: all] Error 2",
    "Traceback (most recent call last):",
    "ModuleNotFoundError: No module named 'x'",
    "System.IO.FileNotFoundException: Could not find file 'C:\\a'",
    "foo : The term 'foo' is not recognized as the name of a cmdlet, function, script file, or operable program.",
    "    + FullyQualifiedErrorId : CommandNotFoundException",
    "Installation failed with exit code 1603",
    "Windows update failed: Exception from HRESULT: 0x8024402C",
    "Job for nginx.service failed because the control process exited with error code.",
    "Killed",
    "dpkg: error processing package x (--configure):",
    "Upload failed: no space left on device",
]
NO_ERRORS = [
    "Setting up libgpg-error0:amd64 (1.43-3) ...",
    "Unpacking liberror-perl (0.17029-1) ...",
    "Get:12 http://archive.example jammy/main amd64 libgpg-error-dev",
    "0 errors, 0 warnings",
    "Build succeeded. 0 Warning(s) 0 Error(s)",
    "Tests run: 12, Failures: 0, Errors: 0, Skipped: 0",
    "failed=0",
    "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)... 3s",
    "localhost : ok=7 changed=3 unreachable=0 failed=0 skipped=1",
    "No errors found",
    "Reading package lists...",
    "Provisioning with shell script: packer-shell118",
    "enabling error reporting",
    "status: 200",
    "exit code: 0",
    "Enabling failover clustering",
    "The operation completed successfully.",
    "",
]


@pytest.mark.parametrize("text", ERRORS)
def test_errors(text: str) -> None:
    """What programs write when something went wrong is known, in the phrases of Linux and of Windows."""
    assert is_error_line(text)


@pytest.mark.parametrize("text", NO_ERRORS)
def test_no_errors(text: str) -> None:
    """Names of packages, counts of none and plain progress are no errors."""
    assert not is_error_line(text)


@pytest.mark.parametrize(
    ("text", "is_network"),
    [
        ("curl: (6) Could not resolve host: agents.example.com", True),
        ("W: Failed to fetch http://x  Temporary failure resolving 'archive.example'", True),
        ("Invoke-WebRequest : The remote name could not be resolved: 'download.invalid'", True),
        ("curl: (22) The requested URL returned error: 503", True),
        ("E: Failed to fetch http://x  Hash Sum mismatch", True),
        ("net/http: TLS handshake timeout", True),
        ("curl: (22) The requested URL returned error: 404", False),
        ("curl: (22) The requested URL returned error: 403 Forbidden", False),
        ("E: Unable to locate package x", False),
        ("curl: (7) Failed to connect to localhost port 8080: Connection refused", False),
        ("curl: (7) Failed to connect to 127.0.0.1 port 8080 after 0 ms: Connection refused", False),
        ("dial tcp [::1]:5432: connect: connection refused", False),
        ("lookup registry.example on 127.0.0.53:53: read udp 127.0.0.53:53: i/o timeout", True),
        ("fatal: [localhost]: FAILED! => Failed to connect to agents.example.com port 443", True),
    ],
)
def test_network_trouble(text: str, *, is_network: bool) -> None:
    """What may pass by itself is told from what is missing or forbidden."""
    assert is_network_trouble(text) == is_network


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("E: Unable to locate package nginx", True),
        ("E: Failed to fetch http://x/a.deb  404  Not Found", True),
        ("E: Failed to fetch http://x/a.deb  Temporary failure resolving 'x'", False),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)", False),
        ("ERROR: No matching distribution found for requests", True),
        ("Error: Failed to download metadata for repo 'appstream'", True),
        ("npm ERR! network This is a problem related to network connectivity.", True),
        ("npm ERR! missing script: build", False),
        ("    + FullyQualifiedErrorId : WebException", True),
        ("make: *** [Makefile:2: main] Error 1", True),
        ("main.c:3:1: error: expected ';' before 'return'", False),
        ("AssertionError: config invalid: key 'x' missing", False),
    ],
)
def test_what_follows_from_an_error_before(text: str, *, follows: bool) -> None:
    """With what a program merely gives up is told from what names a reason of its own."""
    assert is_consequence(text) == follows
