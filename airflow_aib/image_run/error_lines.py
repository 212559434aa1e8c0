"""Tell the lines in which a program says what went wrong from all the others that it writes."""

from __future__ import annotations

import re

# How programs begin or phrase an error: shells, apt, dnf, pip, npm, curl, git, compilers, PowerShell, MSI, systemd.
_ERROR = re.compile(
    r"""
    ^\s*(?:E:|Err:\d+)\s                            # apt
    | ^\s*(?:error|fatal|critical|panic|failure)\b  # most programs
    | \b(?:error|fatal|failed|failure|exception)\s?[:!(\[]
    | :\ (?:error|fatal|failed)\b | \bfailed\ because\b
    | \b[\w.]+(?:Error|Exception):                  # Python, .NET, Java
    | ^Traceback\ \(most\ recent
    | \bnpm\ ERR! | \]\ Error\ \d+\b               # npm, make
    | \bcurl:\ \(\d+\)
    | \bcommand\ not\ found\b | :\ not\ found$
    | \bNo\ such\ file\ or\ directory\b | \bno\ space\ left\ on\ device\b
    | \bPermission\ denied\b | \bAccess\ is\ denied\b | \bOperation\ not\ permitted\b
    | \b(?:cannot|can't|could\ not|couldn't|unable\ to|failed\ to)\s+\w
    | \bis\ not\ recognized\ as\ (?:the\ name|an\ internal)
    | \bnot\ available\ and\ is\ not\ referred\ to\b
    | \bhas\ (?:failed|no\ installation\ candidate)\b | \b(?:installation|build|download|upload|update)\ failed\b
    | \bFullyQualifiedErrorId\b
    | \b(?:connection|operation|request)\ (?:was\ )?(?:refused|timed\ out|reset)\b | \btimed\ out\b
    | \bTemporary\ failure\b | \bUnauthorized\b | \bForbidden\b
    | \b(?:Out\ of\ memory|Killed|Segmentation\ fault|core\ dumped)\b
    | \bassertion\b.*\bfailed\b
    | \b(?:HRESULT|exit\ code|exit\ status)[:\s]+(?:0x8[0-9A-F]{7}|[1-9]\d*)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# What has the words and tells of no error: counts of none, names of packages, things that were prevented.
_NO_ERROR = re.compile(
    r"""
    \b(?:no|0|without|zero)\ (?:\w+\ )?(?:errors?|failures?)\b
    | \b(?:errors?|failed|failures?)\s*[:=]\s*(?:0|none|false)\b
    | ^\s*(?:Get|Hit|Ign|Fetched|Selecting|Preparing|Unpacking|Setting\ up|Processing|Installing|Collecting|Downloading)
      [:\s]
    | ^\s*Waiting\ for\ cache\ lock\b               # apt; when it gives up it says so again
    | \bignor(?:ed|ing)\b | \bif\ (?:it\ )?fail
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Cheaper than the patterns: a line without any of these is no error, and most lines have none.
_HINTS = (
    "err", "fatal", "fail", "critical", "panic", "exception", "traceback", "curl:", "not found", "no such", "no space",
    "denied", "not permitted", "cannot", "can't", "could not", "couldn't", "unable", "not recognized", "not available",
    "candidate", "refused", "timed out", "reset", "unauthorized", "forbidden", "memory", "killed", "segmentation",
    "core dumped", "assertion", "hresult", "exit code", "exit status", "e:",
)  # fmt: skip
# An address that could not be reached, or that was for a while in no state to answer.
_NETWORK = re.compile(
    r"""
    \bTemporary\ failure\ (?:in\ name\ resolution|resolving) | \bCould\ not\ resolve\b
    | \bremote\ name\ could\ not\ be\ resolved\b | \bName\ or\ service\ not\ known\b | \bgetaddrinfo\b
    | \bUnable\ to\ connect\ to\ the\ remote\ server\b | \bConnection\ (?:timed\ out|refused|reset)\b
    | \bFailed\ to\ connect\ to\b | \bNetwork\ is\ unreachable\b | \bNo\ route\ to\ host\b
    | \bTLS\ handshake\ timeout\b | \bi/o\ timeout\b | \bconnection\ was\ closed\ unexpectedly\b
    | \bcurl:\ \((?:5|6|7|18|28|35|52|55|56)\)
    | \b(?:502\ Bad\ Gateway|503\ Service\ (?:Temporarily\ )?Unavailable|504\ Gateway\ Time-?out)\b
    | \breturned\ error:\ (?:429|50[0234])\b | \bToo\ Many\ Requests\b
    | \bHash\ Sum\ mismatch\b | \bMirror\ sync\ in\ progress\b
    | 0x80072E(?:E2|E7|FD|FE) | 0x8024402C
    """,
    re.IGNORECASE | re.VERBOSE,
)
# What a build does to itself: a service of its own that has not started, or never does. Not a resolver, 127.0.0.53.
_OWN_MACHINE = re.compile(r"(?<![\w\[.-])localhost\b|(?<![\w.])127\.0\.0\.1\b|\[::1\]", re.IGNORECASE)
# With these a program gives up on what it, or another one, has said the reason of before.
_CONSEQUENCE = re.compile(
    r"""
    ^\s*E:\ (?:Unable\ to\ (?:locate|fetch)|Failed\ to\ fetch|Some\ index\ files)\b   # apt
    | \bhas\ no\ installation\ candidate\b
    | \bFailed\ to\ download\ metadata\b | \bCannot\ (?:find\ a\ valid\ baseurl|download\ repomd)\b    # dnf
    | \bNo\ matching\ distribution\ found\b | \bCould\ not\ find\ a\ version\ that\ satisfies\b     # pip
    | \bnpm\ (?:ERR!|error)\s+(?:network\b|A\ complete\ log\b|[/\\]|\w:\\)
    | \bCould\ not\ read\ from\ remote\ repository\b                                                # git
    | ^\s*\+\ +(?:CategoryInfo|FullyQualifiedErrorId)\b                                           # PowerShell
    | ^make(?:\[\d+\])?:\ \*\*\* | ^tar:\ Error\ is\ not\ recoverable\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_error_line(text: str) -> bool:
    """Whether a line says that something went wrong."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return False
    return _ERROR.search(text) is not None and _NO_ERROR.search(text) is None


def is_network_trouble(text: str) -> bool:
    """Whether an error line is about an address that could not be reached; that may pass by itself."""
    return _NETWORK.search(text) is not None and _OWN_MACHINE.search(text) is None


def is_consequence(text: str) -> bool:
    """Whether an error line only follows from one before it, and names no reason of its own."""
    return _CONSEQUENCE.search(text) is not None and not is_network_trouble(text)
