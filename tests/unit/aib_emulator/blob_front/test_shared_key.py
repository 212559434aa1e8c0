from __future__ import annotations

import base64

from multidict import CIMultiDict

from aib_emulator.blob_front.shared_key import authorization, is_signed, string_to_sign
from aib_emulator.blob_front.target import Target

KEYS = tuple(base64.b64encode(bytes([number]) * 64).decode() for number in (1, 2))


def test_text_has_method_headers_and_resource() -> None:
    """The signed text is what the service's documentation writes, with the account twice as paths are."""
    headers = CIMultiDict({"x-ms-version": "2015-02-21", "X-Ms-Date": "Fri, 26 Jun 2015 23:39:12 GMT"})
    target = Target("/myaccount/mycontainer?restype=container&comp=metadata&timeout=20")
    assert string_to_sign("GET", target, headers) == (
        "GET\n\n\n\n\n\n\n\n\n\n\n\n"
        "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
        "/myaccount/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
    )


def test_empty_body_is_signed_as_no_length() -> None:
    """A content length of 0 is signed as nothing, any other as it is."""
    target = Target("/a/c/b")
    assert "\n0\n" not in string_to_sign("PUT", target, {"Content-Length": "0"})
    assert "\n512\n" in string_to_sign("PUT", target, {"Content-Length": "512"})


def test_headers_are_in_dictionary_order() -> None:
    """Underscores sort before hyphens, both before letters and digits."""
    headers = CIMultiDict([("x-ms-meta-ab", "3"), ("x-ms-meta-a1", "2"), ("x-ms-meta-a_b", "1")])
    signed = string_to_sign("GET", Target("/a"), headers)
    assert "x-ms-meta-a_b:1\nx-ms-meta-a1:2\nx-ms-meta-ab:3\n" in signed


def test_query_values_are_signed_decoded() -> None:
    """Values are decoded, a plus is a space, and names are in lower case."""
    signed = string_to_sign("GET", Target("/a/c?Prefix=x%2Fy+z&comp=list"), {})
    assert signed.endswith("\ncomp:list\nprefix:x/y z")


def test_secondary_endpoint_signs_as_the_account() -> None:
    """The suffix of the secondary endpoint is not signed; the same text in a blob's name is."""
    assert string_to_sign("GET", Target("/a-secondary/c"), {}).endswith("/a/a/c")
    assert string_to_sign("GET", Target("/a/c/x-secondary"), {}).endswith("/a/a/c/x-secondary")


def test_signature_of_either_key_is_right() -> None:
    """A request signed with one of the account's keys is accepted, one signed otherwise is not."""
    target, headers = Target("/a/c/b"), CIMultiDict({"x-ms-date": "now"})
    for key in KEYS:
        signed = CIMultiDict({**headers, "Authorization": authorization("PUT", target, headers, key)})
        assert is_signed("PUT", target, signed, KEYS)
        assert not is_signed("GET", target, signed, KEYS)
    assert not is_signed("PUT", target, headers, KEYS)
