"""The table of all rules: what each demands, and why.

`service`: Azure refuses the document or the build fails; `advice`: it works, and is likely not what was meant. Each has
a page in docs/reference/rules, and an example of what it finds in tests/image_templates/rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Basis = Literal["service", "advice"]

_SWAGGER = "the official schema, Microsoft.VirtualMachineImages"
_REFERENCE = "Azure VM Image Builder template reference"
_TROUBLE = "Troubleshoot Azure VM Image Builder"


@dataclass(frozen=True)
class Rule:
    """Describe a rule.

    :param rule_id: stable, as `customize-name-unique`
    :param basis: whether the service demands it, or we advise it
    :param what: what must hold, as one sentence
    :param why: what happens otherwise
    :param source: where that is known from
    """

    rule_id: str
    basis: Basis
    what: str
    why: str
    source: str = ""


def _service(rule_id: str, what: str, why: str, source: str = _REFERENCE) -> Rule:
    return Rule(rule_id, "service", what, why, source)


def _advice(rule_id: str, what: str, why: str, source: str = "") -> Rule:
    return Rule(rule_id, "advice", what, why, source)


_ALL = (
    # Reading and rendering
    _service(
        "document-unreadable",
        "The file is JSON or YAML and holds an image template.",
        "Nothing can be submitted from a file that cannot be read.",
    ),
    _service(
        "document-unrenderable",
        "Parameters, placeholders and expressions can be filled in.",
        "Azure would refuse the deployment, or receive a body with holes.",
        "Azure Resource Manager template functions",
    ),
    _advice(
        "key-twice",
        "No key stands twice in one object.",
        "Only the last one counts, and the other is most likely a mistake.",
    ),
    _advice(
        "member-left-out",
        "Only location, tags, identity and properties are submitted.",
        "Whatever else stands beside them in the resource has no effect.",
    ),
    _advice(
        "parameter-unused",
        "The document asks for every value that is passed.",
        "A value that nothing asks for is most likely misspelt.",
    ),
    _advice(
        "parameter-missing",
        "Every parameter and placeholder has a value when an image template is checked.",
        "What depends on it cannot be checked; when it is submitted, a missing value is an error.",
    ),
    _advice(
        "needs-azure",
        "No expression asks for what only Azure knows.",
        "It cannot be checked; when it is submitted by an operator, it is an error: pass the value as a parameter.",
    ),
    _advice(
        "placeholder-left",
        "No script line and no tag is nothing but a placeholder without a value.",
        "The text would be taken literally, angle brackets and all.",
    ),
    # The resource
    _service(
        "name-form",
        "The name has 1 to 64 letters, digits, dots, underscores and hyphens.",
        "Azure refuses any other name.",
        _SWAGGER,
    ),
    _service(
        "location-required",
        "The image template has a region.",
        "Azure Resource Manager refuses a resource without `location`.",
        _SWAGGER,
    ),
    _service(
        "identity-required",
        "The image template has an identity.",
        "Since 2020-02-14 the service reads sources and writes images with the identity of the image template.",
    ),
    _service(
        "identity-type",
        "The identity is user-assigned.",
        "The service knows no system-assigned identities.",
        _SWAGGER,
    ),
    _service(
        "identity-single",
        "There is exactly one identity.",
        "The service takes a single one; others, for the build VM itself, belong into "
        "`vmProfile.userAssignedIdentities`.",
    ),
    _service(
        "resource-id-form",
        "A resource id has the form of its type.",
        "The service refuses an id with `ValidationFailed`, or fails while it creates the image template.",
    ),
    # Shape
    _service("member-required", "What the service requires is there.", "The service refuses the document.", _SWAGGER),
    _advice(
        "member-empty",
        "A required text is not empty.",
        "The schema lets an empty text pass, and the build has nothing to work with.",
        _SWAGGER,
    ),
    _service("member-type", "A value has the type of its member.", "The service refuses the document.", _SWAGGER),
    _service("member-value", "A value is one that the service knows.", "The service refuses the document.", _SWAGGER),
    _service("member-range", "A number is within its limits.", "The service refuses the document.", _SWAGGER),
    _service(
        "member-form", "A name has the form that the service takes.", "The service refuses the document.", _SWAGGER
    ),
    _service(
        "member-unknown",
        "Every member is known.",
        "Since api-version 2024-02-01 the service refuses unknown members; before, it ignored them, so that what was "
        "meant did not happen.",
    ),
    _service(
        "member-case",
        "Every member is written in the service's letter case.",
        "Since api-version 2024-02-01 letter case counts; before, it did not.",
    ),
    _service(
        "member-version",
        "The api-version has every member, in this spelling.",
        "Since api-version 2024-02-01 the service refuses what it does not know; before, it ignored it, so that what "
        "was meant did not happen.",
        _SWAGGER,
    ),
    _service(
        "kind-unknown",
        "Sources, customizers, validators, distributors and versionings are of a known kind, in its letter case.",
        "The service refuses the document with `ValidationFailed`, also in old api-versions.",
        _SWAGGER,
    ),
    _service(
        "kind-version",
        "The api-version has the kind.",
        "The service refuses the document with `ValidationFailed`.",
        _SWAGGER,
    ),
    _service(
        "api-version-unknown",
        "The api-version is one of the service's.",
        "Azure Resource Manager refuses any other with `NoRegisteredProviderFound`.",
        _SWAGGER,
    ),
    # The source
    _service(
        "source-iso-retired",
        "The source is no ISO.",
        "The service takes no image templates with ISO sources since 31 March 2020, and builds none since "
        "30 April 2020.",
    ),
    _advice(
        "source-incomplete",
        "A platform image names publisher, offer and sku.",
        "The schema lets it pass, and the marketplace has no image without them.",
        _SWAGGER,
    ),
    _advice(
        "source-version",
        "A platform image names a version, or `latest`.",
        "What the service builds from otherwise is not documented.",
    ),
    # Customizers and validators
    _service("customize-name-unique", "No two customizers share a name.", "The service refuses the document."),
    _service(
        "script-or-inline",
        "A script step has exactly one of `scriptUri` and `inline`.",
        "The service refuses a step with neither (`NoCustomizerScript`, `NoValidatorScript`) or with both.",
    ),
    _advice(
        "address-form",
        "Addresses of scripts and files are http addresses.",
        "The service downloads every script while it creates the image template, and fails if it cannot.",
    ),
    _service(
        "checksum-form",
        "A checksum has 64 hexadecimal digits.",
        "The service compares it with the SHA-256 of what it downloads: no file can match another text.",
    ),
    _advice(
        "step-system",
        "A step works on the system that the source seems to have.",
        "Shell runs on Linux only; WindowsRestart and WindowsUpdate on Windows only.",
    ),
    _advice(
        "file-incomplete",
        "A File step has `sourceUri` and `destination`.",
        "The schema lets it pass, and there is nothing to copy, or nowhere to copy it to.",
        _SWAGGER,
    ),
    _advice(
        "file-destination",
        "On Linux a File step writes below /tmp, and everywhere its destination has a file name.",
        "The service can write nowhere else, and creates no folders.",
    ),
    _service(
        "restart-timeout-form",
        "A restart timeout is a number and a unit, as 5m or 2h.",
        "The build fails when it reaches the step.",
    ),
    _advice("update-limit", "No more than 1000 updates are asked for.", "No more are installed."),
    _service(
        "run-as-system",
        "`runAsSystem` stands beside `runElevated` only.",
        "The service refuses the document.",
        _SWAGGER,
    ),
    # Distributors
    _service(
        "distribute-empty",
        "The image goes somewhere.",
        "The service refuses a document without distributors, unless it only validates its source.",
        _SWAGGER,
    ),
    _service(
        "run-output-name-unique",
        "No two distributors share a run output name.",
        "Run outputs are resources that are found by this name.",
    ),
    _service(
        "regions-twice",
        "There are not both `replicationRegions` and `targetRegions`.",
        "The service refuses the document.",
        _SWAGGER,
    ),
    _advice(
        "storage-account-type",
        "`storageAccountType` stands beside `replicationRegions`.",
        "It counts nowhere else; each of `targetRegions` has its own.",
        _SWAGGER,
    ),
    _advice(
        "vhd-uri-form",
        "The `uri` of a VHD is the address of a blob.",
        "The distribution fails at the end of the build.",
    ),
    # Time
    _service(
        "timeout-too-short",
        "`buildTimeoutInMinutes` is 0 or at least 6.",
        "With 1 to 5 the token of the build expires before it begins, and every build fails.",
        _TROUBLE,
    ),
    _advice(
        "timeout-windows",
        "A Windows image has at least 60 minutes.",
        "Updates and restarts take long; the build is ended in the middle.",
    ),
    # The build VM
    _service(
        "network-subnet-missing",
        "`containerInstanceSubnetId` stands beside `subnetId` only.",
        "The service refuses the document.",
        _SWAGGER,
    ),
    _service(
        "network-proxy-unused",
        "There is no `proxyVmSize` beside `containerInstanceSubnetId`.",
        "The service refuses the document.",
        _SWAGGER,
    ),
    # Rules switched off
    _advice(
        "switch-unknown",
        "What is switched off is a rule.",
        "A misspelt rule switches nothing off.",
    ),
    _advice(
        "switch-reason",
        "A rule is switched off with a reason.",
        "Whoever reads it next cannot tell whether it still holds.",
    ),
    _advice(
        "switch-unused",
        "A rule that is switched off would have something to say.",
        "It would hide what is found there later.",
    ),
)

RULES: dict[str, Rule] = {rule.rule_id: rule for rule in _ALL}
