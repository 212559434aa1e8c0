from __future__ import annotations

from aib_emulator.blob_front.target import Target, target_of_url


def test_path_names_account_container_and_blob() -> None:
    """The first segment is the account, the second the container, the rest the decoded blob name."""
    target = Target("/acct/vhds/a%20b/c%2Bd.vhd?comp=page&timeout=3")
    assert (target.account, target.container, target.blob) == ("acct", "vhds", "a b/c+d.vhd")
    assert target.raw_path == "/acct/vhds/a%20b/c%2Bd.vhd"


def test_service_target_has_no_container() -> None:
    """A target of the account alone has neither container nor blob."""
    target = Target("/acct?comp=list")
    assert (target.account, target.container, target.blob) == ("acct", "", "")


def test_secondary_endpoint_is_the_same_account() -> None:
    """The read-only secondary endpoint belongs to the account before its suffix."""
    assert Target("/acct-secondary/c/b").account == "acct"


def test_query_is_decoded_with_lower_case_names() -> None:
    """Names of query parameters count in any casing, values are decoded and empty ones kept."""
    assert Target("/a?Comp=list&sig=a%2Fb%3D&prefix=").query == {"comp": "list", "sig": "a/b=", "prefix": ""}


def test_signature_in_the_query_is_a_sas() -> None:
    """A signature in the query makes a shared access signature."""
    assert Target("/a/c/b?sv=1&sig=x").has_sas
    assert not Target("/a/c/b?comp=sig").has_sas


def test_addition_to_the_query_leaves_the_rest_as_it_is() -> None:
    """A piece is added to a query without re-encoding the rest."""
    assert Target("/a/c/b?sig=%2f").with_query("comp=pagelist").raw == "/a/c/b?sig=%2f&comp=pagelist"
    assert Target("/a/c/b").with_query("comp=pagelist").raw == "/a/c/b?comp=pagelist"


def test_address_becomes_a_target_as_it_is() -> None:
    """Scheme and host fall away, the encoding stays."""
    assert target_of_url("https://127.0.0.1:1/acct/c/b%20x?sig=%2F").raw == "/acct/c/b%20x?sig=%2F"
    assert target_of_url("https://127.0.0.1:1/acct/c/b").raw == "/acct/c/b"
