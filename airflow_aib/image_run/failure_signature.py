"""What a known failure is: its class, by what it is recognised, and what helps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Place = Literal["run", "creation", "call", "log"]
"""Where a failure showed: in a run's status, in the creation of the image template, in a call, or in a log alone."""


@dataclass(frozen=True)
class Retry:
    """Say whether the same again can succeed without anybody changing anything.

    :param may_help: None where nobody can know
    :param after: seconds to wait before
    """

    may_help: bool | None
    after: int | None = None


NEVER = Retry(may_help=False)
NOT_KNOWN = Retry(may_help=None)
# What passes by itself: a hiccup of the network or of Azure, and what has to become free first.
SOON = Retry(may_help=True, after=120)
IN_A_WHILE = Retry(may_help=True, after=600)
LATER = Retry(may_help=True, after=1800)


@dataclass(frozen=True)
class Traits:
    """Hold what a failure is recognised by.

    :param place: where it showed
    :param message: the service's code and words
    :param signs: which of the words of `log_signs` stand in that part of the log that has to do with it
    :param step: in which step of the build it came about
    :param provisioner: kind of the provisioner that failed or hung
    :param hangs: whether that one never came to its end, and did not fail either
    :param has_network_trouble: whether its last error is about an address that could not be reached
    :param last_errors: the last lines in which the provisioner says that something went wrong
    """

    place: Place = "log"
    message: str = ""
    signs: frozenset[str] = frozenset()
    step: str | None = None
    provisioner: str | None = None
    hangs: bool = False
    has_network_trouble: bool = False
    last_errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """Say by what a failure is recognised; everything that is asked for must be there.

    :param in_message: parts of the service's code and message
    :param in_log: parts of lines of the log, of the provisioner that failed if one did
    :param not_in_log: parts of which none may be there
    :param in_last_errors: part of one of the provisioner's last errors; what it has overcome is not among them
    :param places: where it can show
    :param steps: in which steps it can come about; empty means any
    :param provisioner: kind of the provisioner that failed or hung
    :param hangs: whether that one must hang
    :param needs_network_trouble: whether its last error must be about an address that could not be reached
    """

    in_message: tuple[str, ...] = ()
    in_log: tuple[str, ...] = ()
    not_in_log: tuple[str, ...] = ()
    in_last_errors: str = ""
    places: frozenset[Place] = frozenset({"run", "creation", "log"})
    steps: frozenset[str] = frozenset()
    provisioner: str | None = None
    hangs: bool = False
    needs_network_trouble: bool = False

    def match(self, traits: Traits) -> bool:
        """Whether everything that is asked for is there."""
        return (
            traits.place in self.places
            and all(part in traits.message for part in self.in_message)
            and traits.signs.issuperset(self.in_log)
            and traits.signs.isdisjoint(self.not_in_log)
            and (not self.in_last_errors or any(self.in_last_errors in text for text in traits.last_errors))
            and (not self.steps or traits.step in self.steps)
            and self.provisioner in {None, traits.provisioner}
            and (traits.hangs or not self.hangs)
            and (traits.has_network_trouble or not self.needs_network_trouble)
        )


@dataclass(frozen=True)
class Signature:
    """Describe one class of failure.

    :param failure_class: stable name, for programs
    :param meaning: what it is, in a few words
    :param remedy: what a person can do
    :param documentation: where Microsoft tells more
    :param retry: whether the same again can help
    :param recognised_by: any one of these
    :param step: the step that it is about, where the class alone says so
    """

    failure_class: str
    meaning: str
    remedy: str
    documentation: str
    retry: Retry = NEVER
    recognised_by: tuple[Words, ...] = field(default=())
    step: str | None = None

    def match(self, traits: Traits) -> bool:
        """Whether it is recognised."""
        return any(words.match(traits) for words in self.recognised_by)


ANYWHERE: frozenset[Place] = frozenset({"run", "creation", "call", "log"})
_CALL: frozenset[Place] = frozenset({"call"})
_DEPLOY = frozenset({"deploy", "connect"})


def message_has(*parts: str) -> Words:
    """Recognise a run or creation by the service's words."""
    return Words(in_message=parts)


def call_says(*parts: str) -> Words:
    """Recognise a call that was not carried out by its answer."""
    return Words(in_message=parts, places=_CALL)


def log_has(*parts: str) -> Words:
    """Recognise a build by its log."""
    return Words(in_log=parts)


def deprovisioning_has(*parts: str) -> Words:
    """Recognise a build by its log, while AIB's own last step generalises the VM."""
    return Words(in_log=parts, steps=frozenset({"deprovision"}))


def deploying_has(*parts: str) -> Words:
    """Recognise a build by its log, while it makes its VM and connects to it."""
    return Words(in_log=parts, steps=_DEPLOY)
