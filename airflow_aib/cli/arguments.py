"""The table of all commands and their arguments, from which both front ends and the reference are made.

Every `airflow` command loads this module, so it holds data and imports nothing that works.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Argument:
    """Describe one argument.

    :param flags: its option strings, or one name where it stands by itself
    :param text: what it means
    :param options: more for argparse's `add_argument`
    """

    flags: tuple[str, ...]
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """Describe one command.

    :param name: as typed
    :param text: what it does, in one sentence
    :param arguments: what it takes
    :param function: `module:name` of what runs it
    :param more: a paragraph for its own help page
    """

    name: str
    text: str
    arguments: tuple[Argument, ...]
    function: str
    more: str = ""


PROGRAM = "airflow-aib"
DESCRIPTION = (
    "Check and render image templates for Azure VM Image Builder, without Azure and without Airflow; say why a build "
    "failed."
)

FORMATS = ("text", "json", "sarif", "github")

_PATHS = Argument(
    ("paths",),
    "Files, folders, or - for standard input. Folders are searched for image templates.",
    {"nargs": "+", "metavar": "PATH"},
)
_ONE_PATH = Argument(("path",), "A file, or - for standard input.", {"metavar": "PATH"})
_STDIN_FILENAME = Argument(
    ("--stdin-filename",),
    "The name to report for what standard input holds; its ending tells the format.",
    {"metavar": "NAME"},
)
_ONLY_IMAGE_TEMPLATES = Argument(
    ("--only-image-templates",),
    "Skip files that do not look like image templates, even where they are named.",
    {"action": "store_true"},
)
_VALUES = (
    Argument(
        ("--parameters",),
        "Values for the documents: an ARM parameters file, or names with values, in JSON or YAML.",
        {"metavar": "FILE"},
    ),
    Argument(
        ("--set",),
        "One value; JSON if it reads as a number, boolean, list or object, else text. Comes before those of "
        "--parameters. May be given again and again.",
        {"metavar": "NAME=VALUE", "action": "append", "default": [], "dest": "assignments"},
    ),
    Argument(("--subscription-id",), "The subscription in which the image template will live.", {"metavar": "ID"}),
    Argument(
        ("--resource-group",),
        "The resource group in which the image template will live.",
        {"metavar": "NAME", "dest": "resource_group_name"},
    ),
    Argument(
        ("--location",),
        "The region where the document names none, and that of the resource group.",
        {"metavar": "REGION"},
    ),
    Argument(
        ("--now",),
        "The moment that utcNow() writes, in ISO 8601; UTC where it names no zone.",
        {"metavar": "TIMESTAMP"},
    ),
)
_NAME = Argument(("--name",), "Which image template, where a file holds several: its name as written there.")

CHECK = Command(
    "check",
    "Say what is wrong or doubtful about image templates.",
    (
        _PATHS,
        *_VALUES,
        Argument(("--api-version",), "Check against the tables of this api-version.", {"metavar": "VERSION"}),
        Argument(
            ("--format",),
            "How findings are written: for people, as a JSON list, as SARIF 2.1.0, or as workflow commands of "
            "GitHub Actions.",
            {"choices": FORMATS, "default": FORMATS[0]},
        ),
        Argument(("--strict",), "Warnings fail too.", {"action": "store_true"}),
        Argument(
            ("--disable",),
            "Switch a rule off, and say why. May be given again and again.",
            {"metavar": "RULE=REASON", "action": "append", "default": [], "dest": "disabled"},
        ),
        Argument(
            ("--show-switched-off",),
            "Show also what is switched off, with the reasons.",
            {"action": "store_true"},
        ),
        _ONLY_IMAGE_TEMPLATES,
        _STDIN_FILENAME,
    ),
    "airflow_aib.cli.check:run",
    "Ends with 0 if nothing is wrong, with 1 if there are errors (with --strict also warnings), and with 2 if it was "
    "not called rightly.",
)

RENDER = Command(
    "render",
    "Print the exact body that would be submitted to Azure.",
    (
        _ONE_PATH,
        _NAME,
        *_VALUES,
        Argument(
            ("--written",),
            "Leave old spellings as they are written, instead of bringing them to the current api-version.",
            {"action": "store_true"},
        ),
        Argument(
            ("--show-secrets",),
            "Print secrets as they would be submitted, instead of ***: for a body that is sent on.",
            {"action": "store_true"},
        ),
        _STDIN_FILENAME,
    ),
    "airflow_aib.cli.render:run",
    "Ends with 1 if values are missing; all of them are named.",
)

FINGERPRINT = Command(
    "fingerprint",
    "Print digests that are equal for image templates that build the same.",
    (_PATHS, _NAME, *_VALUES, _STDIN_FILENAME),
    "airflow_aib.cli.fingerprint:run",
    "One line for each image template: the digest, two spaces, the file, and #NAME where the file holds several.",
)

UPGRADE = Command(
    "upgrade",
    "Bring files to the current api-version; everything else in them stays as it is.",
    (
        _PATHS,
        Argument(("--write",), "Write the files, instead of showing what would be another.", {"action": "store_true"}),
        Argument(("--check",), "Fail if a file is not up to date; for CI.", {"action": "store_true"}),
        Argument(
            ("--target-regions",),
            "Turn replicationRegions, which is deprecated, into targetRegions too.",
            {"action": "store_true"},
        ),
        _ONLY_IMAGE_TEMPLATES,
        _STDIN_FILENAME,
    ),
    "airflow_aib.cli.upgrade:run",
    "The difference is on standard output, without secrets; what was changed and why on standard error. Ends with 1 if "
    "a file is refused, since it cannot be upgraded or edited without losing something; with --check also if there is "
    "something to upgrade.",
)

CHECKSUM = Command(
    "checksum",
    "Compute the checksums of scripts and files that a build downloads.",
    (
        _PATHS,
        Argument(
            ("--write",),
            "Write checksums that are missing into the files, and correct those that are wrong.",
            {"action": "store_true"},
        ),
        Argument(("--verify",), "Fail if a checksum is wrong; for CI.", {"action": "store_true"}),
        Argument(
            ("--from",),
            "Take a file from this machine instead of downloading it: an address and a file, or the beginning of "
            "addresses and a folder. May be given again and again.",
            {"metavar": "URI=PATH", "action": "append", "default": [], "dest": "local"},
        ),
        Argument(("--allow-http",), "Download from addresses without TLS too.", {"action": "store_true"}),
        Argument(
            ("--max-megabytes",),
            "The most that a file may have.",
            {"metavar": "NUMBER", "type": float, "default": 20.0},
        ),
        Argument(
            ("--timeout",), "The most that a download may take.", {"metavar": "SECONDS", "type": float, "default": 60.0}
        ),
        *_VALUES,
        _STDIN_FILENAME,
    ),
    "airflow_aib.cli.checksum:run",
    "One line for each: the checksum of what is there now, the place of the address, and whether the one that is "
    "written is missing, right or wrong. Ends with 1 if one is not to be had; with --verify also if one is wrong.",
)

RULES = Command(
    "rules",
    "List all rules, or explain one.",
    (Argument(("rule",), "The rule to explain.", {"metavar": "RULE", "nargs": "?"}),),
    "airflow_aib.cli.rules:run",
)

DIAGNOSE = Command(
    "diagnose",
    "Say why a build failed, from its log or from Azure.",
    (
        Argument(
            ("target",),
            "A customization or validation log, plain or compressed with gzip; - for standard input; the https "
            "address or resource id of such a log; or the resource id of an image template, or its name where "
            "--resource-group is given.",
            {"metavar": "LOGFILE|URL|TEMPLATE_ID"},
        ),
        Argument(
            ("--resource-group",),
            "The resource group of the image template that is named.",
            {"metavar": "NAME", "dest": "resource_group_name"},
        ),
        Argument(
            ("--connection",),
            "The Airflow connection with which Azure is reached, where it has to be.",
            {"metavar": "ID", "default": "azure_image_builder_default"},
        ),
        Argument(
            ("--image-template",),
            "The document of the image template that left the log, for the names of its customizers.",
            {"metavar": "PATH", "dest": "document"},
        ),
        Argument(("--json",), "Write the diagnosis as JSON.", {"action": "store_true", "dest": "as_json"}),
    ),
    "airflow_aib.cli.diagnose:run",
    "Ends with 0 if nothing went wrong, with 1 if it says what did, with 3 if nothing of the failure is recognised, "
    "and with 2 if it was not called rightly, or log or image template cannot be read. A file, standard input and an "
    "address with a signature need neither Azure nor Airflow; everything else goes through the connection, which is "
    "looked for in Airflow's secrets backends, the environment and the metadata database.",
)

COMMANDS = (CHECK, RENDER, FINGERPRINT, UPGRADE, CHECKSUM, RULES, DIAGNOSE)
