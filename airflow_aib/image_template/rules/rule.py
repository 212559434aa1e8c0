"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from airflow_aib.image_template.finding import Severity

Basis = Literal["service", "advice"]

SWAGGER = "the official schema, Microsoft.VirtualMachineImages"
REFERENCE = "Azure VM Image Builder template reference"
TROUBLE = "Troubleshoot Azure VM Image Builder"
TRIGGERS = "How to enable automatic image creation with Azure Image Builder triggers"
RESOURCE_MANAGER = "Azure Resource Manager: limits of tags and names"
GALLERY = "Azure Compute Gallery"


@dataclass(frozen=True)
class Rule:
    """Describe a rule.

    :param rule_id: stable, as `customize-name-unique`
    :param basis: whether the service demands it, or we advise it
    :param what: what must hold, as one sentence
    :param why: what happens otherwise
    :param source: where that is known from
    :param severity: the worst that a finding of it can have
    :param is_about_several: whether it is about image templates beside each other
    :param is_warning_too: whether some of its findings are only warnings, though the worst are errors
    """

    rule_id: str
    basis: Basis
    what: str
    why: str
    source: str
    severity: Severity
    is_about_several: bool = False
    is_warning_too: bool = False

    @property
    def can_be_switched_off(self) -> bool:
        """Whether anything is checked where it finds something, and it is not about switching off itself."""
        return self.rule_id not in _NOTHING_CHECKED and not self.rule_id.startswith("switch-")


_NOTHING_CHECKED = frozenset({"document-unreadable", "document-unrenderable"})


def service(
    rule_id: str,
    what: str,
    why: str,
    source: str = REFERENCE,
    *,
    severity: Severity = "error",
    is_warning_too: bool = False,
) -> Rule:
    """Describe what the service demands; a warning where the document alone cannot tell whether it refuses."""
    return Rule(rule_id, "service", what, why, source, severity, is_warning_too=is_warning_too)


def advice(
    rule_id: str,
    what: str,
    why: str,
    source: str = "",
    *,
    severity: Severity = "warning",
    is_about_several: bool = False,
) -> Rule:
    """Describe what works otherwise too, and is likely not what was meant."""
    return Rule(rule_id, "advice", what, why, source, severity, is_about_several)
