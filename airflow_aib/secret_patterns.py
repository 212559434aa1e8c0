"""What secrets look like in text: the one table, for logs that are masked and for documents that are checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"

# Shorter texts stand everywhere: masking them would only garble what is shown.
SHORTEST_SECRET = 4


@dataclass(frozen=True)
class SecretPattern:
    """Describe one kind of secret.

    :param kind: for messages, as `a GitHub token`
    :param signs: in small letters; one of them stands wherever the pattern matches, so that most texts need no more
        than this look
    :param lead: expression of what stands before the secret and may be shown
    :param secret: expression of the secret itself
    :param shortest: a shorter secret is masked in logs, and no finding in a document: it is most likely an example
    """

    kind: str
    signs: tuple[str, ...]
    lead: str
    secret: str
    shortest: int = 4


@dataclass(frozen=True)
class SecretFound:
    """Say where a secret stands in a text, without the secret.

    :param kind: for messages
    :param start: of the secret
    :param end: of the secret
    """

    kind: str
    start: int
    end: int


# Where the text stands inside quoted ones, a quote is escaped as in JSON, maybe twice, or doubled as in YAML.
_QUOTE = r"(?:\\{0,3}[\"']){0,2}"
# What a command line takes as one value; a quote ends it.
_VALUE = r"[^\s\"'`|&;<>]+"
# What may stand between the lines of a key, also where each is an item of a list in JSON or YAML.
_BETWEEN_LINES = r"(?:[\s\"',]|\\[nr]|(?<=\s)-(?=\s))"

SURE: tuple[SecretPattern, ...] = (
    SecretPattern(
        "a shared access signature",
        ("sig=", "sig%"),
        # Also inside an address that is encoded, once or more, or quoted in HTML (`&amp;`) or in JSON as .NET writes it
        # (`\u0026`).
        r"(?:\b|%(?:25)*(?:26|3B|3F)|u0026)sig(?:=|%(?:25)*3D)",
        r"(?:[^&\s\"'<>;,)\\]|\\/)+",
        shortest=20,
    ),
    SecretPattern(
        "a storage account's or service bus's key",
        ("accountkey=", "sharedaccesskey="),
        r"\b(?:AccountKey|SharedAccessKey)=",
        r"[A-Za-z0-9+/=]+",
        shortest=20,
    ),
    SecretPattern(
        "a storage account's key",
        ("--account-key", "azure_storage_key"),
        rf"(?:--account-key[\s=]+|\bAZURE_STORAGE_KEY=){_QUOTE}",
        r"[A-Za-z0-9+/]{40,}={0,2}",
    ),
    SecretPattern(
        # As tools that fetch from private places print it.
        "a password in an address",
        ("@",),
        r"://[^/\s:@?#]*:",
        r"[^/\s@?#]+(?=@)",
        shortest=1,
    ),
    SecretPattern("a bearer token", ("bearer",), r"\bBearer\s+", r"[A-Za-z0-9._~+/-]{16,}=*"),
    SecretPattern(
        "a JSON web token",
        ("eyj",),
        r"(?-i:\beyJ)",
        r"[A-Za-z0-9_-]{8,}\.(?-i:eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    ),
    SecretPattern("an Entra client secret", ("q~",), r"(?<![\w.~-])", r"(?-i:[\w.~-]{3}\dQ~[\w.~-]{31,34})(?![\w~-])"),
    SecretPattern(
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"(?-i:\b(?:gh[pousr]_|github_pat_))",
        r"[A-Za-z0-9_]{22,}",
    ),
    SecretPattern(
        "a GitLab token",
        ("glpat-", "gldt-", "glptt-", "glrt-"),
        r"(?-i:\bgl(?:pat|dt|ptt|rt)-)",
        r"[\w-]{20,}",
    ),
    SecretPattern("a PyPI token", ("pypi-age",), r"(?-i:\bpypi-AgE)", r"[\w-]{50,}"),
    SecretPattern("an npm token", ("npm_",), r"(?-i:\bnpm_)", r"(?-i:[A-Za-z0-9]{36})\b"),
    SecretPattern("a Slack token", ("xox",), r"(?-i:\bxox[abprs]-)", r"[A-Za-z0-9-]{20,}"),
    SecretPattern("an AWS access key", ("akia", "asia"), r"(?-i:\b(?:AKIA|ASIA))", r"(?-i:[0-9A-Z]{16})\b"),
    SecretPattern(
        "an AWS secret access key",
        ("aws_secret_access_key",),
        rf"\baws_secret_access_key[\s=:]+{_QUOTE}",
        r"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/])",
    ),
    SecretPattern(
        "a private key",
        ("private key-----",),
        rf"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----{_BETWEEN_LINES}*",
        rf"[A-Za-z0-9+/=]{{16,}}(?:{_BETWEEN_LINES}+[A-Za-z0-9+/=]+)*",
    ),
    SecretPattern(
        "a password in plain text",
        ("convertto-securestring",),
        r"\bConvertTo-SecureString\b(?=[^|;\n]{0,300}-AsPlainText)(?:\s+-[A-Za-z]+){0,4}\s+(?:\\{0,3}[\"']){1,2}",
        r"[^\"'\n]+(?=[\"'])",
        shortest=1,
    ),
    SecretPattern(
        "the password of a sign-in",
        (" login",),
        rf"\b(?:az|docker|podman|oras|helm\s+registry)\s+login\b[^|;&\n]{{0,300}}?\s(?:-p|--password)[\s=]+{_QUOTE}",
        _VALUE,
        shortest=1,
    ),
)

# Shapes that most often, and not always, hold a secret. A miss is better here than a false alarm: the value must have
# letters and digits, and neither be a path nor an address.
_LIKELY_VALUE = r"(?=[^\s\"']{0,100}\d)(?=[^\s\"']{0,100}[A-Za-z])(?![\"'@/~.(\[])[^\s\"'`|&;<>/\\]{8,100}"
LIKELY: tuple[SecretPattern, ...] = (
    SecretPattern(
        "a password or token as an option",
        ("--",),
        r"(?<!\S)--(?:[a-z]+-){0,4}(?:password|passwd|client-secret|secret|api-key|token)(?:=|\s+)" + _QUOTE,
        _LIKELY_VALUE,
    ),
    SecretPattern(
        "a password or token in an assignment",
        ("password", "passwd", "pwd", "secret", "token", "api_key", "apikey"),
        rf"\b\w{{0,40}}(?:password|passwd|pwd|secret|token|api_?key)(?:={_QUOTE}|\s+=\s*(?:\\{{0,3}}[\"']){{1,2}})",
        _LIKELY_VALUE,
    ),
    SecretPattern(
        # A variable of the environment says more clearly what it is, so that fewer characters are enough.
        "a password in a variable",
        ("password=", "passwd=", "secret="),
        r"(?-i:\b[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|SECRET)=)" + _QUOTE,
        _LIKELY_VALUE.replace("{8,100}", "{6,7}(?![^\\s\"'`|&;<>])"),
    ),
    SecretPattern(
        "a password or token as an argument",
        ("-password", "-token", "-apikey"),
        r"(?<!\S)-(?:password|token|apikey)\s+" + _QUOTE,
        _LIKELY_VALUE,
    ),
    SecretPattern(
        "the password of a user that curl or wget signs in",
        ("curl", "wget"),
        rf"\b(?:curl|wget)\b[^|;&\n]{{0,300}}?\s(?:-u\s*|--(?:proxy-)?user[\s=]+){_QUOTE}[^\s\"':$]{{1,64}}:",
        _LIKELY_VALUE,
    ),
    SecretPattern(
        "the password of a database",
        ("mysql", "mariadb"),
        rf"\b(?:mysql|mariadb)(?:dump|admin|import)?\b[^|;&\n]{{0,300}}?\s(?-i:-p){_QUOTE}",
        _LIKELY_VALUE,
    ),
    SecretPattern(
        "the password of a user",
        ("chpasswd", "net user"),
        r"\becho\s+[\"']?[\w-]+:(?=[^\n]{0,200}\|\s*(?:sudo\s+)?chpasswd\b)|\bnet\s+user\s+[\w-]+\s+(?=\S+\s+/add\b)",
        r"[^\s\"'|/]{4,}",
    ),
)

SIGNS = frozenset(sign for pattern in SURE for sign in pattern.signs)

# The lead is a group of its own, so that what replaces a match can keep it.
_SURE = re.compile("|".join(f"(?P<p{at}>{one.lead}){one.secret}" for at, one in enumerate(SURE)), re.IGNORECASE)
_LIKELY = re.compile("|".join(f"(?P<p{at}>{one.lead}){one.secret}" for at, one in enumerate(LIKELY)), re.IGNORECASE)
# What is shown ends with no piece of a password, whatever the check takes for its end.
_LIKELY_WHOLE = re.compile(rf"(?:{_LIKELY.pattern})[^\s\"'`|&;<>\\]*", re.IGNORECASE)
_LIKELY_SIGNS = frozenset(sign for pattern in LIKELY for sign in pattern.signs)

_REFERENCE = re.compile(
    # A variable of a shell or of PowerShell, an expression, a placeholder, a mask; a variable of cmd.exe.
    r".*(?:[$`{}<>]|\*\*|\.\.\.|[\ue000-\uf8ff]).*|%\w+%|(.)\1*|(?i:your|my|the|some)[-_ ].*",
    re.DOTALL,
)

_VARIABLE = re.compile(r"\$\w+|\$\{\w+\}|\$env:\w+|%\w+%", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Give a text with a mask in place of every secret that shows itself by its form."""
    lower = text.lower()
    if not any(sign in lower for sign in SIGNS):
        return text
    return _SURE.sub(lambda match: f"{match[match.lastgroup or 0]}{MASK}", text)


def blanked(text: str) -> str:
    """Mask what is a secret, for sure or most likely, and keep every line: lines can be compared and counted."""
    at, pieces = 0, []
    for found in secrets_in(text):
        pieces += [text[at : found.start], re.sub(r"\S[^\n]*", MASK, text[found.start : found.end])]
        at = found.end
    return _without_likely_secrets("".join([*pieces, text[at:]]))


def _without_likely_secrets(text: str) -> str:
    if not any(sign in text.lower() for sign in _LIKELY_SIGNS):
        return text
    # One command may have several.
    while (shown := _LIKELY_WHOLE.sub(_likely_masked, text)) != text:
        text = shown
    return text


def _likely_masked(match: re.Match[str]) -> str:
    lead, secret = match[match.lastgroup or 0], match[0][len(match[match.lastgroup or 0]) :]
    # Between single quotes no shell looks for variables.
    is_variable = _VARIABLE.fullmatch(secret) and not lead.endswith("'")
    return match[0] if is_variable else f"{lead}{MASK}"


def secrets_in(text: str) -> Iterator[SecretFound]:
    """Find what is a secret for sure: no variable, placeholder or mask stands in its place."""
    return _found(text, _SURE, SIGNS, SURE)


def likely_secrets_in(text: str) -> Iterator[SecretFound]:
    """Find what is most likely a password or token."""
    return _found(text, _LIKELY, _LIKELY_SIGNS, LIKELY)


def _found(
    text: str, expression: re.Pattern[str], signs: frozenset[str], table: tuple[SecretPattern, ...]
) -> Iterator[SecretFound]:
    lower = text.lower()
    if not any(sign in lower for sign in signs):
        return
    for match in expression.finditer(text):
        group = match.lastgroup or ""
        pattern, start = table[int(group[1:])], match.end(group)
        value = text[start : match.end()]
        if len(value) >= pattern.shortest and not _REFERENCE.fullmatch(value):
            yield SecretFound(pattern.kind, start, match.end())
