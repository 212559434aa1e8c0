"""Strategies that make image templates in the spellings of older api-versions, and files that hold them."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import strategies as st

from tests.unit.airflow_aib.image_template.sample_documents import IDENTITY, platform_image

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = st.sampled_from(
    ["a", "sudo apt-get update", "a, b", "x: [y] #z", "[ -f x ]", 'it\'s "so"', "", "<commands>", "🚀 ü"]
)
NAMES = st.sampled_from(["build", "<vnetName>", "net-1", "corp.net"])
TAGS = st.dictionaries(st.sampled_from(["team", "x y"]), TEXTS, max_size=2)


def one_spelling(*names: str) -> st.SearchStrategy[str]:
    """Choose one of several spellings of a member."""
    return st.sampled_from(names)


def member(names: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make an object of one member, or of none."""
    return st.just({}) | st.builds(lambda name, value: {name: value}, names, values)


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Join objects, in any order of their members."""

    def join(objects: tuple[dict[str, Any], ...]) -> st.SearchStrategy[dict[str, Any]]:
        pairs = [pair for one in objects for pair in one.items()]
        return st.permutations(pairs).map(dict)

    return st.tuples(*parts).flatmap(join)


TYPE = one_spelling("type", "Type")
FLAGS = st.booleans() | st.sampled_from(["true", "False", "perhaps"])
CUSTOMIZERS = merged(
    st.builds(lambda key, kind: {key: kind}, TYPE, st.sampled_from(["shell", "PowerShell", "powershell", "Quantum"])),
    member(st.just("name"), TEXTS),
    member(one_spelling("inline", "Inline"), TEXTS | st.lists(TEXTS, max_size=2)),
    member(one_spelling("script", "scriptURI", "scriptUri"), st.just("https://scripts.example/a.sh")),
    member(
        one_spelling("valid_exit_codes", "validExitCodes"),
        st.sampled_from(["0", "0,3010", "0, <code>", "<codes>", "all", ["0", 1], [0]]),
    ),
    member(st.just("runElevated"), FLAGS),
)
DISTRIBUTORS = merged(
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["sharedImage", "VHD", "vhd", "managedImage"])),
    member(one_spelling("tags", "aritfactTags", "artifactTags"), TAGS | st.none()),
    member(st.just("replicationRegions"), st.lists(st.sampled_from(["eastus", "<region>"]), max_size=3)),
    member(st.just("storageAccountType"), st.sampled_from(["Standard_LRS", "standard_zrs"])),
    member(st.just("runOutputName"), TEXTS),
)
NETWORKS = merged(
    member(one_spelling("name", "Name"), NAMES),
    member(st.just("subnetName"), NAMES),
    member(st.just("resourceGroupName"), NAMES | st.just("")),
    member(st.just("proxyVmSize"), st.just("Standard_A1_v2")),
)
IDENTITIES = merged(
    st.just({"type": "UserAssigned"}),
    member(st.just("tenantId"), st.just("t")),
    st.builds(
        lambda value: {"userAssignedIdentities": {IDENTITY: value}},
        st.sampled_from([{}, None, {"principalId": "p", "clientId": "c"}, {"clientId": "c"}]),
    ),
)
PROPERTIES = merged(
    member(
        one_spelling("source", "Source"),
        merged(st.just(platform_image()), member(st.just("exactVersion"), st.just("1.0.0"))),
    ),
    member(one_spelling("customize", "Customize"), st.lists(CUSTOMIZERS, max_size=3)),
    member(st.just("distribute"), st.lists(DISTRIBUTORS, max_size=3)),
    member(st.just("buildTimeoutInMinutes"), st.sampled_from([90, "90", "<minutes>"])),
    member(st.just("vmProfile"), member(st.just("vnetConfig"), NETWORKS)),
    member(st.just("provisioningState"), st.just("Succeeded")),
    member(st.just("lastRunStatus"), st.just({"runState": "Succeeded", "message": ""})),
    member(st.just("newThing"), TEXTS),
)
BARE = merged(
    st.builds(lambda properties: {"properties": properties}, PROPERTIES),
    member(st.just("identity"), IDENTITIES),
    member(st.just("location"), st.just("eastus")),
    member(
        st.just("apiVersion"), st.sampled_from(["2018-02-01-preview", "2020-02-14", "2025-10-01", "[variables('v')]"])
    ),
    member(
        st.just("type"),
        st.sampled_from(
            ["Microsoft.VirtualMachineImages/imageTemplates", "microsoft.virtualmachineimages/imagetemplates"]
        ),
    ),
)


def _deployment(bodies: list[dict[str, Any]]) -> dict[str, Any]:
    resource_type = "Microsoft.VirtualMachineImages"
    return {"resources": [{"type": "Microsoft.Compute/galleries"}, *({**one, "type": resource_type} for one in bodies)]}


CONTENTS = BARE | st.lists(BARE, min_size=1, max_size=2).map(_deployment)

# Pieces between which a comment may stand.
_PIECES = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|([{}\[\],:])')


def json_file(content: Any, indent: Any, line_end: str, is_commented: Callable[[], int]) -> str:
    """Write JSON, with comments here and there."""

    def with_comment(match: re.Match[str]) -> str:
        number = is_commented()
        if number % 7 == 0:
            return f"{match[0]} /* c{number} */"
        return f"{match[0]} // c{number}\n" if number % 7 == 1 else match[0]

    return _PIECES.sub(with_comment, json.dumps(content, indent=indent)).replace("\n", line_end)


class _WithoutAnchors(yaml.SafeDumper):
    """Write equal values twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML hands it over
        return True


def yaml_file(content: Any, options: dict[str, Any], line_end: str, is_commented: Callable[[], int]) -> str:
    """Write YAML, with comments at ends of lines and on lines of their own."""
    lines = []
    written = yaml.dump(content, Dumper=_WithoutAnchors, width=100_000, sort_keys=False, allow_unicode=True, **options)
    for line in written.splitlines():
        number = is_commented()
        lines.append(f"{line}  # c{number}" if number % 5 == 0 else line)
        if number % 5 == 1:
            lines.append(f"{' ' * (number % 4)}# c{number}")
    return line_end.join([*lines, ""])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, Any]:
    """Make a file: its name, its text and its content."""
    content, line_end = draw(CONTENTS), draw(st.sampled_from(["\n", "\r\n"]))
    chance = random.Random(draw(st.integers(0, 999)))  # noqa: S311 - where comments stand need not be a secret

    def number() -> int:
        return chance.randrange(100)

    if draw(st.booleans()):
        return "a.json", json_file(content, draw(st.sampled_from([None, 0, 2, 4, "\t"])), line_end, number), content
    options = draw(
        st.fixed_dictionaries(
            {
                "default_flow_style": st.sampled_from([False, True, None]),
                "default_style": st.sampled_from([None, None, '"', "'"]),
                "indent": st.sampled_from([2, 4]),
            }
        )
    )
    return "a.yaml", yaml_file(content, options, line_end, number), content
