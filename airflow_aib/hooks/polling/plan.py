"""Decide which requests bring the looks that are due: one for each image template, or lists that show many.

No input, no output, no clock of its own. Moments are seconds since the epoch.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A look that is this near its moment, as a share of its pause, goes along with one that is due.
RIPE_SHARE = 0.75
# What a request weighs beside the bytes that it brings: it takes from the subscription's bucket, a round trip, and here
# as much time as reading a few hundred KiB. So the single requests of one moment are about as many as the bucket has.
REQUEST_WEIGHT = 256 * 1024
# Until a list has shown better.
USUAL_PAGE_SIZE = 100
USUAL_BODY_SIZE = 12 * 1024
# Seconds for which a list is remembered: image templates come and go.
LIST_MEMORY = 3600.0
# Seconds without lists after one that failed; doubled with each further one.
FIRST_BAR = 10.0
LONGEST_BAR = 1800.0


class Scope(NamedTuple):
    """Name what a list shows: a resource group, or a whole subscription.

    :param subscription_id: in lower case
    :param resource_group_name: in lower case; None means all of them
    """

    subscription_id: str
    resource_group_name: str | None = None

    @property
    def whole(self) -> Scope:
        """The subscription around it."""
        return Scope(self.subscription_id)


@dataclass(eq=False, slots=True)
class WantedLook:
    """Say that a wait wants a look.

    :param image_template_id: in lower case
    :param scope: its resource group
    :param asked_at: since when
    :param due: by when
    :param in_person: whether it decides: a list will not do, nor a later moment
    :param is_unlisted: whether a list will not do
    :param is_first: whether its wait has seen nothing yet
    :param is_open: whether it is still waited for, and no request that will bring it has been sent
    """

    image_template_id: str
    scope: Scope
    asked_at: float
    due: float
    in_person: bool = False
    is_unlisted: bool = False
    is_first: bool = False
    is_open: bool = True

    def is_ripe(self, now: float) -> bool:
        """Whether it may go along with one that is due."""
        return self.is_first or now >= self.asked_at + RIPE_SHARE * (self.due - self.asked_at)


@dataclass
class ListFacts:
    """Remember what a list of a scope costs, and whether one may ask for it.

    :param image_templates: how many it shows
    :param pages: in how many answers
    :param size: in bytes
    :param learned_at: when; None means never
    :param barred_until: until when none is asked for, since one has failed
    """

    image_templates: int = 0
    pages: int = 0
    size: int = 0
    learned_at: float | None = None
    barred_until: float = 0.0
    _failures: int = 0

    def learn(self, image_templates: int, pages: int, size: int, now: float) -> None:
        """Take in a list that came through."""
        self.image_templates, self.pages, self.size, self.learned_at = image_templates, pages, size, now
        self._failures = 0

    def fail(self, now: float) -> None:
        """Take in a list that failed: do without for a while."""
        self.barred_until = now + min(FIRST_BAR * 2**self._failures, LONGEST_BAR)
        self._failures += 1

    def forbid(self) -> None:
        """Take in that one may not list here: do without for good."""
        self.barred_until = math.inf

    def weight(self, waits: int, now: float) -> float:
        """Give what a list weighs, as it was, or else as if it showed no other image templates than ours."""
        if now < self.barred_until:
            return math.inf
        if self.learned_at is None or now - self.learned_at > LIST_MEMORY:
            return math.ceil(waits / USUAL_PAGE_SIZE) * REQUEST_WEIGHT + waits * self.body_size
        return self.pages * REQUEST_WEIGHT + self.size

    @property
    def body_size(self) -> float:
        """Bytes of one image template, on average."""
        return self.size / self.image_templates if self.image_templates else USUAL_BODY_SIZE


class Single(NamedTuple):
    """Ask for one image template.

    :param image_template_id: which
    :param wanted: the looks that it brings
    """

    image_template_id: str
    wanted: tuple[WantedLook, ...]

    @property
    def in_person(self) -> bool:
        """Whether it decides."""
        return self.wanted[0].in_person

    @property
    def subscription_id(self) -> str:
        """Whose bucket it takes from."""
        return self.wanted[0].scope.subscription_id


class Listing(NamedTuple):
    """Ask for all image templates of a scope.

    :param scope: which
    :param wanted: the looks that it brings
    """

    scope: Scope
    wanted: tuple[WantedLook, ...]


Ask = Single | Listing
_NO_FACTS = ListFacts()


def plan(wanted: Iterable[WantedLook], now: float, lists: Mapping[Scope, ListFacts]) -> list[Ask]:
    """Give the requests to send now; none while nothing is due.

    :param wanted: all looks that are waited for
    :param lists: what is known of lists
    """
    deciding: list[WantedLook] = []
    unlisted: list[WantedLook] = []
    shareable: dict[str, list[WantedLook]] = defaultdict(list)
    for look in wanted:
        if look.is_open and not (look.in_person or look.is_unlisted):
            shareable[look.scope.subscription_id].append(look)
        elif look.is_open and look.due <= now:
            (deciding if look.in_person else unlisted).append(look)
    asks: list[Ask] = [*_singles(deciding), *_singles(unlisted)]
    for subscription_id in sorted(shareable):
        asks += _plan_subscription(Scope(subscription_id), shareable[subscription_id], now, lists)
    return asks


def _plan_subscription(
    whole: Scope, looks: Sequence[WantedLook], now: float, lists: Mapping[Scope, ListFacts]
) -> list[Ask]:
    """Choose between a list of the subscription, and lists and single requests for each of its resource groups."""
    if not any(look.due <= now for look in looks):
        return []
    asks: list[Ask] = []
    weight = 0.0
    groups = _by_scope(looks)
    for scope, own in groups.items():
        group_asks, group_weight = _plan_group(scope, own, now, lists)
        asks += group_asks
        weight += group_weight
    facts = lists.get(whole, _NO_FACTS)
    is_one_group = len(groups) == 1 and facts.learned_at is None
    if not is_one_group and facts.weight(_count(looks), now) < weight:
        return [Listing(whole, tuple(looks))]
    return asks


def _plan_group(
    scope: Scope, looks: Sequence[WantedLook], now: float, lists: Mapping[Scope, ListFacts]
) -> tuple[list[Ask], float]:
    """Give what to ask of one resource group, and what all of its ripe looks weigh."""
    facts = lists.get(scope, _NO_FACTS)
    ripe = _count(look for look in looks if look.is_ripe(now))
    singly = ripe * (REQUEST_WEIGHT + facts.body_size)
    as_list = facts.weight(_count(looks), now)
    due = [look for look in looks if look.due <= now]
    if due and as_list < singly:
        return [Listing(scope, tuple(looks))], as_list
    return list(_singles(due)), min(singly, as_list)


def _singles(looks: Iterable[WantedLook]) -> Iterable[Single]:
    """Ask for each image template, the one whose moment came first before the others."""
    by_id: dict[str, list[WantedLook]] = defaultdict(list)
    for look in sorted(looks, key=lambda look: look.due):
        by_id[look.image_template_id].append(look)
    return (Single(image_template_id, tuple(found)) for image_template_id, found in by_id.items())


def _by_scope(looks: Iterable[WantedLook]) -> dict[Scope, list[WantedLook]]:
    groups: dict[Scope, list[WantedLook]] = defaultdict(list)
    for look in looks:
        groups[look.scope].append(look)
    return groups


def _count(looks: Iterable[WantedLook]) -> int:
    return len({look.image_template_id for look in looks})
