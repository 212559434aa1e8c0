"""The names of Azure's regions, only to tell a misspelt one: a name that is near none of them may be a new region."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = """
    australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth
    brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap chilecentral chinaeast chinaeast2
    chinaeast3 chinanorth chinanorth2 chinanorth3 denmarkeast eastasia eastus eastus2 eastus2euap eastus3 francecentral
    francesouth germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest
    jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth northcentralus
    northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth southafricawest southcentralus
    southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth switzerlandwest uaecentral uaenorth
    uksouth ukwest usdodcentral usdodeast usgovarizona usgovtexas usgovvirginia westcentralus westeurope westindia
    westus westus2 westus3
"""
REGIONS = frozenset(_NAMES.split())
_LONGEST = max(map(len, REGIONS)) + 3
_ALIKE = 0.9
_DIGITS = "0123456789"
# The first of a row has no number, and the next ones come in order: that many beyond the last may be new.
_NEW_NUMBERS = 2


def meant_regions(name: str) -> tuple[str, ...]:
    """Give the regions that are meant by a name that is nearly one, all that are as near as each other.

    None for a known region, for one that may be new, as the next number of a known one, and for one near to none.

    :param name: in small letters, without blanks
    """
    if name in REGIONS or len(name) > _LONGEST:
        return ()
    if name.rstrip(_DIGITS) in REGIONS:
        return _meant_by_number(name)
    by_slip = (_all_with(is_slip, name) for is_slip in (_is_swapped, _has_another_letter, _has_letter_more_or_less))
    return next(filter(None, by_slip), ()) or _likest(name)


def _meant_by_number(name: str) -> tuple[str, ...]:
    base = name.rstrip(_DIGITS)
    number = name.removeprefix(base)
    known = {region: region.removeprefix(base) for region in REGIONS if region.rstrip(_DIGITS) == base}
    last = max(int(digits or 1) for digits in known.values())
    may_be_new = not number.startswith("0") and 1 < int(number) <= last + _NEW_NUMBERS
    return () if may_be_new else tuple(sorted(known))


def _all_with(is_slip: Callable[[str, str], bool], name: str) -> tuple[str, ...]:
    return tuple(region for region in sorted(REGIONS) if is_slip(name, region))


def _likest(name: str) -> tuple[str, ...]:
    likeness = {region: SequenceMatcher(None, region, name).ratio() for region in sorted(REGIONS)}
    most = max(likeness.values())
    return tuple(region for region, alike in likeness.items() if alike == most >= _ALIKE)


def _is_swapped(name: str, region: str) -> bool:
    """Whether two neighbours have changed places, which is much for the measure of a short name."""
    places = _differing(name, region)
    first = places[0] if places else 0
    return places == [first, first + 1] and name[first : first + 2] == region[first : first + 2][::-1]


def _has_another_letter(name: str, region: str) -> bool:
    return len(_differing(name, region)) == 1


def _has_letter_more_or_less(name: str, region: str) -> bool:
    short, long = sorted((name, region), key=len)
    return len(long) == len(short) + 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _differing(name: str, region: str) -> list[int]:
    """Give the places at which two names of one length differ; none for names of two lengths."""
    if len(name) != len(region):
        return []
    return [place for place, letter in enumerate(region) if name[place] != letter]
