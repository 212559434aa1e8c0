from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.expression_functions import FUNCTIONS, NEEDS_AZURE, NEEDS_VALUE, ExpressionError
from airflow_aib.image_template.expressions import (
    called_functions,
    calls,
    evaluate,
    is_bracketed,
    is_escaped,
    parse_expression,
)
from airflow_aib.image_template.parameters import Values
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
DEPLOYMENT: dict[str, Any] = {
    "parameters": {
        "name": {"type": "string", "defaultValue": "web"},
        "list": {"type": "array", "defaultValue": ["a", "b"]},
        "object": {"type": "object", "defaultValue": {"Inner": {"x": 1}, "none": None}},
        "count": {"type": "int", "defaultValue": 3},
        "secret": {"type": "securestring", "defaultValue": "hunter22"},
    },
    "variables": {
        "prefix": "[concat(parameters('name'), '-')]",
        "full": "[concat(variables('prefix'), 'x')]",
        "nested": {"list": ["[parameters('name')]", "plain", "[[escaped]"]},
        "circle": "[variables('circle2')]",
        "circle2": "[variables('circle')]",
    },
    "resources": [{"type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "t", "properties": {}}],
}
VALUES = Values(read_document(DEPLOYMENT), {}, CONTEXT)


def value(expression: str) -> Any:
    """Evaluate an expression, written without its brackets."""
    return evaluate(f"[{expression}]", VALUES)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'text'", "text"),
        ("'it''s'", "it's"),
        ("''", ""),
        ("12", 12),
        ("-3", -3),
        (" 'spaces' ", "spaces"),
        ("parameters('name')", "web"),
        ("PARAMETERS('NAME')", "web"),
        ("variables('full')", "web-x"),
        ("variables('nested').list[0]", "web"),
        ("variables('nested').list[2]", "[escaped]"),
        ("parameters('object').inner.x", 1),
        ("parameters('object')['Inner']['x']", 1),
        ("parameters('list')[1]", "b"),
        ("concat('a', 'b', 1, true())", "ab1True"),
        ("concat(parameters('list'), createArray('c'))", ["a", "b", "c"]),
        ("concat()", ""),
        ("format('{0}-{1}-{0}', 'a', 2)", "a-2-a"),
        ("format('{{0}}')", "{0}"),
        ("toLower('ABC')", "abc"),
        ("toUpper('abc')", "ABC"),
        ("replace('a-b-c', '-', '')", "abc"),
        ("split('a,b;c', ',')", ["a", "b;c"]),
        ("split('a,b;c', createArray(',', ';'))", ["a", "b", "c"]),
        ("join(parameters('list'), '+')", "a+b"),
        ("substring('abcdef', 1, 3)", "bcd"),
        ("substring('abcdef', 4)", "ef"),
        ("if(equals(1, 1), 'yes', 'no')", "yes"),
        ("if(false(), parameters('nowhere'), 'no')", "no"),
        ("equals('a', 'A')", False),
        ("equals(1, true())", False),
        ("coalesce(parameters('object').none, 'b')", "b"),
        ("coalesce(null(), null())", None),
        ("string(parameters('list'))", '["a","b"]'),
        ("string(1)", "1"),
        ("int('42')", 42),
        ("bool('TRUE')", True),
        ("bool(0)", False),
        ("bool('false')", False),
        ("bool(true())", True),
        ("and(true(), not(false()))", True),
        ("or(false(), false())", False),
        ("empty('')", True),
        ("empty(parameters('list'))", False),
        ("contains('abc', 'b')", True),
        ("contains(parameters('list'), 'c')", False),
        ("contains(parameters('object'), 'INNER')", True),
        ("length(parameters('list'))", 2),
        ("first('abc')", "a"),
        ("last(parameters('list'))", "b"),
        ("startsWith('Abc', 'a')", True),
        ("endsWith('Abc', 'BC')", True),
        ("trim(' a ')", "a"),
        ("array('a')", ["a"]),
        ("createObject('a', 1, 'b', 'x')", {"a": 1, "b": "x"}),
        ("json('{\"a\": [1]}').a[0]", 1),
        ("resourceGroup().name", "images"),
        ("resourceGroup().location", "eastus"),
        ("resourceGroup().id", GROUP),
        ("subscription().subscriptionId", CONTEXT.subscription_id),
        (
            "resourceId('Microsoft.Compute/galleries/images', 'g', 'd')",
            f"{GROUP}/providers/Microsoft.Compute/galleries/g/images/d",
        ),
        (
            "resourceId('other', 'Microsoft.Compute/images', 'i')",
            f"{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Compute/images/i",
        ),
        (
            "resourceId('sub', 'other', 'Microsoft.Compute/images', 'i')",
            "/subscriptions/sub/resourceGroups/other/providers/Microsoft.Compute/images/i",
        ),
        (
            "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')",
            f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/r",
        ),
        (
            "subscriptionResourceId('sub', 'Microsoft.Authorization/roleDefinitions', 'r')",
            "/subscriptions/sub/providers/Microsoft.Authorization/roleDefinitions/r",
        ),
    ],
)
def test_evaluation(expression: str, expected: object) -> None:
    """Each function, literal and access gives what ARM gives."""
    result = value(expression)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "cannot be read"),
        ("concat('a'", "cannot be read at its end"),
        ("concat('a',, 'b')", "cannot be read at column 13"),
        ("-f x", "cannot be read"),
        ("'a' 'b'", "cannot be read"),
        ("parameters('nowhere')", "'nowhere' has no value"),
        ("parameters(1)", "a name must be text"),
        ("variables('nowhere')", "no variable 'nowhere'"),
        ("variables('circle')", "goes in a circle"),
        ("toLowr('A')", r"no function toLowr\(\)"),
        ("reference('x').y", "needs Azure"),
        ("listKeys('x', 'y').keys[0]", "needs Azure"),
        ("LISTSECRETS()", "needs Azure"),
        ("uniqueString('x')", "pass its value as a parameter"),
        ("utcNow()", "pass its value as a parameter"),
        ("toLower(1)", "a string is needed, not int"),
        ("toLower(null())", "a string is needed, not null"),
        ("toLower()", "cannot take"),
        ("if('x', 1, 2)", "needs a boolean"),
        ("if(true(), 1)", "condition and two values"),
        ("parameters('list')[2]", "index 2 is outside a list of 2"),
        ("parameters('list')['x']", "no member 'x' in array"),
        ("parameters('list')[true()]", "cannot be indexed"),
        ("parameters('object').nothing", "no member 'nothing'; there are 'Inner', 'none'"),
        ("parameters('name').x", "no member 'x' in string"),
        ("subscription().tenantId", "no member 'tenantId'"),
        ("int('a')", "cannot take"),
        ("int(true())", "takes a text or an integer"),
        ("bool('perhaps')", "takes 'true' or 'false'"),
        ("substring('abc', 2, 5)", "outside a text of 3"),
        ("substring('abc', 'x')", "cannot take"),
        ("format('{3}', 'a')", "cannot take"),
        ("format('{0:N2}', 1)", "does not know the .NET format 'N2'"),
        ("concat('a', parameters('list'))", "either texts or arrays"),
        ("join('abc', ',')", "takes an array"),
        ("createObject('a')", "cannot take"),
        ("and(1)", "a boolean is needed"),
        ("json('{')", "cannot take"),
        ("resourceId('gallery')", "needs a type"),
        ("resourceId('Microsoft.Compute/galleries/images', 'g')", "needs 2 names"),
        ("resourceId('a', 'b', 'c', 'Microsoft.Compute/images', 'i')", "too many names"),
    ],
)
def test_errors(expression: str, words: str) -> None:
    """What cannot be evaluated is an error that says why."""
    with pytest.raises(ExpressionError, match=words):
        value(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "int(parameters('secret'))",
        "bool(parameters('secret'))",
        "json(parameters('secret'))",
        "parameters('secret').x",
        "substring(parameters('secret'), 90)",
        "if(parameters('secret'), 1, 2)",
        "resourceId(parameters('secret'))",
        "format('{0:N}', parameters('secret'))",
    ],
)
def test_errors_show_no_values(expression: str) -> None:
    """No error quotes a value, also not through its cause."""
    with pytest.raises(ExpressionError) as caught:
        value(expression)

    assert "hunter22" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "bracketed", "escaped"),
    [
        ("[a()]", True, False),
        ("[[a()]", False, True),
        ("[a() ", False, False),
        ("[[a()", False, False),
        ("a()]", False, False),
        ("", False, False),
        ("[]", True, False),
    ],
)
def test_which_texts_are_expressions(text: str, bracketed: bool, escaped: bool) -> None:  # noqa: FBT001 - columns
    """A text in brackets is an expression, one with two opening brackets stands for itself."""
    assert (is_bracketed(text), is_escaped(text)) == (bracketed, escaped)


def test_calls_with_their_names() -> None:
    """Which functions an expression calls can be seen without evaluating it."""
    tree = parse_expression("[concat(parameters('a'), variables(concat('b')))]")

    assert set(calls(tree)) == {("concat", None), ("concat", "b"), ("parameters", "a"), ("variables", None)}


def test_called_functions_of_what_is_none() -> None:
    """A shell's test calls nothing."""
    assert called_functions("[ -f /etc/os-release ]") == frozenset()
    assert called_functions("[toLower('A')]") == {"tolower"}


def test_function_names_are_lower_case() -> None:
    """The tables are written in lower case, since names are looked up so."""
    names = [*FUNCTIONS, *NEEDS_AZURE, *NEEDS_VALUE]

    assert [name for name in names if name != name.casefold()] == []
    assert len(names) == len(set(names))


@given(st.text())
def test_every_text_can_be_written_as_a_literal(text: str) -> None:
    """A text with doubled quotes in quotes gives the text."""
    quoted = text.replace("'", "''")

    assert value(f"concat('{quoted}')") == text


@given(st.text(max_size=30), st.lists(st.text(max_size=5), max_size=4), st.text(min_size=1, max_size=3))
def test_join_and_split_are_opposites(text: str, parts: list[str], delimiter: str) -> None:
    """What was split at a text and joined with it is the same again."""

    def quoted(one: str) -> str:
        return "'" + one.replace("'", "''") + "'"

    whole = delimiter.join([text, *parts])
    assert value(f"join(split({quoted(whole)}, {quoted(delimiter)}), {quoted(delimiter)})") == whole


@given(st.text(alphabet="abc()[]'.,0 1-", max_size=30))
def test_no_text_breaks_the_evaluation(text: str) -> None:
    """Any text is evaluated or refused with our own error."""
    try:
        value(text)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017 - either outcome is fine, a foreign error is not
