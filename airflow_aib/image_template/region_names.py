"""The names of Azure's regions, only to tell a misspelt one: a name that is near none of them may be a new region."""

from __future__ import annotations

from difflib import get_close_matches

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


def misspelt_region(name: str) -> str | None:
    """Give the region that is meant by a name that is nearly one; None for a known region and for one near to none.

    :param name: in small letters, without blanks
    """
    if name in REGIONS or len(name) > _LONGEST or name.rstrip("0123456789") in REGIONS:
        return None
    slips = (_is_swapped, _has_another_letter)
    by_slip = (region for is_slip in slips for region in sorted(REGIONS) if is_slip(name, region))
    by_likeness = get_close_matches(name, sorted(REGIONS), n=1, cutoff=_ALIKE)
    return next(by_slip, None) or next(iter(by_likeness), None)


def _is_swapped(name: str, region: str) -> bool:
    """Whether two neighbours have changed places, which is much for the measure of a short name."""
    places = _differing(name, region)
    first = places[0] if places else 0
    return places == [first, first + 1] and name[first : first + 2] == region[first : first + 2][::-1]


def _has_another_letter(name: str, region: str) -> bool:
    return len(_differing(name, region)) == 1


def _differing(name: str, region: str) -> list[int]:
    """Give the places at which two names of one length differ; none for names of two lengths."""
    if len(name) != len(region):
        return []
    return [place for place, letter in enumerate(region) if name[place] != letter]
