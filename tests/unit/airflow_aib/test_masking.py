from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.masking import MASK, Masker, mask
from airflow_aib.secret_patterns import SIGNS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.blob/x?sv=1&sig=Ab%2Fc%3D&se=2 ok", "https://a.blob/x?sv=1&sig=***&se=2 ok"),
        ('curl "https://a/x?sig=abc"', 'curl "https://a/x?sig=***"'),
        ("u=https%3A%2F%2Fa%3Fsv%3D1%26sig%3Dabc", "u=https%3A%2F%2Fa%3Fsv%3D1%26sig%3D***"),
        ("u=https%3A%2F%2Fa%3Fsig%3Dabc", "u=https%3A%2F%2Fa%3Fsig%3D***"),
        ("u=https%253A//a%253Fsv%253D1%2526sig%253Dabc", "u=https%253A//a%253Fsv%253D1%2526sig%253D***"),
        ('<a href="https://a/x?sv=1&amp;sig=abc&amp;se=2">', '<a href="https://a/x?sv=1&amp;sig=***&amp;se=2">'),
        ("u=https%3A%2F%2Fa%3Fsv%3D1%26amp%3Bsig%3Dabc", "u=https%3A%2F%2Fa%3Fsv%3D1%26amp%3Bsig%3D***"),
        ("https://a/x?sv=1\\u0026sig=abc\\u0026se=2", "https://a/x?sv=1\\u0026sig=***\\u0026se=2"),
        ('{"u": "https:\\/\\/a?sig=ab\\/c"}', '{"u": "https:\\/\\/a?sig=***"}'),
        ("git clone https://robot:ghp_x1@git.example/a.git", "git clone https://robot:***@git.example/a.git"),
        ("http://proxy:8080/a?b=c:d@e", "http://proxy:8080/a?b=c:d@e"),
        ("https://a/x?SIG=abc", "https://a/x?SIG=***"),
        ("AccountName=a;AccountKey=abc+/==;EndpointSuffix=e", "AccountName=a;AccountKey=***;EndpointSuffix=e"),
        ("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc", "Authorization: Bearer ***"),
        ("design=1 and signature=2", "design=1 and signature=2"),
    ],
)
def test_signatures_keys_and_tokens(text: str, expected: str) -> None:
    """What opens a storage account or a door of Azure's is taken out, and nothing else."""
    assert mask(text) == expected


def test_registered_secrets() -> None:
    """A known secret is taken out wherever it stands, also where another secret is part of it."""
    assert mask("user hunter22 hunter22extra", ["hunter22", "hunter22extra"]) == "user *** ***"


def test_every_line_of_a_secret() -> None:
    """A secret of several lines, as a private key, is taken out line by line."""
    masker = Masker(["-----BEGIN-----\nMIIabc\n-----END-----"])

    assert [masker.mask(line) for line in ("-----BEGIN-----", "MIIabc", "-----END-----")] == [MASK, MASK, MASK]


def test_short_texts_are_no_secrets() -> None:
    """A secret of fewer than four characters would garble the whole log."""
    assert mask("abc", ["a", "", "  "]) == "abc"


@given(st.text(min_size=4).filter(lambda secret: len(secret.strip()) >= 4))
def test_no_form_of_a_secret_stays(secret: str) -> None:
    """A secret is gone as it is, quoted in JSON or by Python, encoded in an address, and in a JSON pointer."""
    masker = Masker([secret])
    pointer = secret.replace("~", "~0").replace("/", "~1")

    for form in (secret, json.dumps(secret), quote(secret, safe=""), pointer, repr(secret), repr(f"'{secret}\"")):
        assert secret not in masker.mask(f"[{form}]").replace(MASK, "")


@given(st.text(alphabet="ab1'\"\\\n\t", min_size=4).filter(lambda secret: len(secret.strip()) >= 4))
def test_a_secret_inside_a_text_that_is_quoted(secret: str) -> None:
    """Whatever else stands in a text that Python or JSON quotes, a secret in it is gone."""
    masker = Masker([secret])

    for text in ("<{}>", "<{}>'", '<{}>"', "<{}>'\""):
        for quoted in (repr(text.format(secret)), json.dumps(text.format(secret))):
            assert f"<{MASK}>" in masker.mask(quoted)


@given(st.text())
def test_text_without_secrets_stays(text: str) -> None:
    """Without secrets and signatures a text is not changed."""
    if not any(sign in text.lower() for sign in SIGNS):
        assert mask(text) == text
