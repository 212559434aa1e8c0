from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.expressions.evaluation import KNOWN_FUNCTIONS, evaluate
from airflow_aib.image_template.expressions.function_table import FUNCTIONS, NEEDS_AZURE, NEEDS_VALUE
from airflow_aib.image_template.expressions.limits import ExpressionError
from airflow_aib.image_template.expressions.syntax import (
    called_functions,
    calls,
    is_bracketed,
    is_escaped,
    parse_expression,
)
from airflow_aib.image_template.values.parameters import Values
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
# Published with what Azure made of them.
HASHED_GROUP = "/subscriptions/3c7f956b-55ee-4686-9d30-da1eb631dc59/resourceGroups/rg-devopsshieldek010dev"
HASHED_MACHINE = (
    "/subscriptions/31e9f9a0-9fd2-4294-a0a3-0101246d9700/resourceGroups/rg-modm201-20230913120256"
    "/providers/Microsoft.Compute/virtualMachines/bobjacmodm201"
)
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
DOCUMENT = read_document(DEPLOYMENT)


def value(expression: str) -> Any:
    """Evaluate an expression, written without its brackets."""
    return evaluate(f"[{expression}]", Values(DOCUMENT, {}, CONTEXT))


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
        ("format('{0:D3} {1:000} {2:X4} {3:N0} {3:F1}', 7, -8, 255, 1234567)", "007 -008 00FF 1,234,567 1234567.0"),
        ("format('[{0,4}|{1,-3}]', 7, 'a')", "[   7|a  ]"),
        ("format('{0:D3}', 'text')", "text"),
        ("indexOf('Test', 'T')", 0),
        ("indexOf('İstanbul', 'BUL')", 5),
        ("lastIndexOf('Test', 'T')", 3),
        ("indexOf('test', 'x')", -1),
        ("indexOf(parameters('list'), 'b')", 1),
        ("lastIndexOf(createArray('a', 'b', 'a'), 'a')", 2),
        ("lastIndexOf(parameters('list'), 'B')", -1),
        ("padLeft('5', 3, '0')", "005"),
        ("padLeft(5, 3)", "  5"),
        ("take('abc', 2)", "ab"),
        ("take(parameters('list'), 9)", ["a", "b"]),
        ("take('abc', -1)", ""),
        ("skip('abc', 2)", "c"),
        ("skip(parameters('list'), -1)", ["a", "b"]),
        ("skip(parameters('list'), 9)", []),
        ("first('')", ""),
        ("first(createArray())", None),
        ("last('')", ""),
        ("empty(null())", True),
        ("length(parameters('object'))", 2),
        ("range(3, 3)", [3, 4, 5]),
        ("range(3, 0)", []),
        ("min(3, 1, 2)", 1),
        ("max(createArray(3, 1, 2))", 3),
        ("add(5, -3)", 2),
        ("sub(5, 8)", -3),
        ("mul(4, 3)", 12),
        ("div(-7, 2)", -3),
        ("mod(-7, 2)", -1),
        ("int(' -42 ')", -42),
        ("less(1, 2)", True),
        ("lessOrEquals('a', 'A')", True),
        ("greater('A', 'a')", True),
        ("greaterOrEquals(2, 2)", True),
        ("greater('b', 'A')", True),
        ("base64('one, two, three')", "b25lLCB0d28sIHRocmVl"),
        ("base64ToString('b25lLCB0d28sIHRocmVl')", "one, two, three"),
        ('base64ToJson(base64(\'{"one": "a"}\')).one', "a"),
        ("uri('http://contoso.org/firstpath', 'myscript.sh')", "http://contoso.org/myscript.sh"),
        ("uri('http://contoso.org/firstpath/', 'myscript.sh')", "http://contoso.org/firstpath/myscript.sh"),
        ("uri('http://contoso.org/first/a.json', 'b/c.sh')", "http://contoso.org/first/b/c.sh"),
        ("uriComponent('http://contoso.com/a b')", "http%3A%2F%2Fcontoso.com%2Fa%20b"),
        ("uriComponentToString('a%20b%2F')", "a b/"),
        ("union(createArray('a', 'b', 'a'), createArray('b', 'c'))", ["a", "b", "c"]),
        ("union(createArray(1), createArray(true(), 1))", [1, True]),
        (
            'union(json(\'{"p":{"a":1,"b":2},"l":[1,2],"x":1}\'),json(\'{"P":{"B":3,"c":4},"l":[3]}\'))',
            {"p": {"a": 1, "b": 3, "c": 4}, "l": [3], "x": 1},
        ),
        ("shallowMerge(createArray(createObject('a', createObject('x', 1)), createObject('A', 2)))", {"a": 2}),
        ("intersection(createArray('a', 'b', 'c'), createArray('c', 'b'))", ["b", "c"]),
        (
            "intersection(createObject('one', 'a', 'two', 'b'), createObject('ONE', 'a', 'two', 'c'))",
            {"one": "a"},
        ),
        ("items(createObject('b', 2, 'a', 1))", [{"key": "a", "value": 1}, {"key": "b", "value": 2}]),
        ("objectKeys(createObject('b', 2, 'a', 1))", ["b", "a"]),
        ("flatten(createArray(parameters('list'), createArray('c')))", ["a", "b", "c"]),
        ("tryGet(parameters('object'), 'INNER', 'x')", 1),
        ("tryGet(parameters('object'), 'nothing', 'x')", None),
        ("tryGet(parameters('list'), 7)", None),
        ("dateTimeAdd('2023-01-01 00:00:00Z', 'P1Y')", "2024-01-01T00:00:00Z"),
        ("dateTimeAdd('2024-01-01 00:00:00Z', 'P1Y')", "2024-12-31T00:00:00Z"),
        ("dateTimeAdd('2023-02-01 00:00:00Z', 'P1M')", "2023-03-03T00:00:00Z"),
        ("dateTimeAdd('20200407T145314Z', '-P9DT1H', 'yyyy-MM-dd HH')", "2020-03-29 13"),
        ("dateTimeFromEpoch(1680224438)", "2023-03-31T01:00:38Z"),
        ("dateTimeToEpoch('2023-03-31T03:00:38+02:00')", 1680224438),
        ("guid('hello')", "520f8434-fe3a-5d99-888d-450a827486a1"),
        ("guid('hello', 'world')", "a5b868f8-11fe-567a-ace0-e77cc87f104e"),
        ("uniqueString('tyeth')", "zcztcwvu6iyg6"),
        ("uniqueString('test example')", "vgcxhwvqqm7my"),
        ("uniqueString('hello', 'world')", "a7wkljktk6wne"),
        (f"uniqueString('{HASHED_GROUP}')", "fd63l2gacbtca"),
        (f"uniqueString('{HASHED_MACHINE}')", "yvjxno3je5on2"),
        ("tenantResourceId('Microsoft.Authorization/roles', 'r')", "/providers/Microsoft.Authorization/roles/r"),
        ("extensionResourceId('/a/b', 'M.A/locks', 'l')", "/a/b/providers/M.A/locks/l"),
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
        ("concat('a'", r"cannot be read at its end, since a '\)' is missing"),
        ("concat('(',", "cannot be read at its end, since"),
        ("concat('a', '(',, 'b')", r"cannot be read at column 18$"),
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
        ("newGuid()", "pass its value as a parameter"),
        ("utcNow()", "defaultValue of a parameter only"),
        ("uniqueString()", "at least one text is needed"),
        ("guid(1)", "a string is needed, not int"),
        ("copyIndex()", "needs the name of the copy loop"),
        ("copyIndex('x', 'y')", "takes an integer as offset"),
        ("copyIndex('x')", "stands in no copy loop 'x'"),
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
        ("int('a')", "a text that is no integer"),
        ("int('')", "a text that is no integer"),
        ("int('9223372036854775808')", "64 bits"),
        ("add(9223372036854775807, 1)", "64 bits"),
        ("div(1, 0)", "cannot take .*ZeroDivisionError"),
        ("less('a-b', 'ab')", "only letters, digits, dots and spaces"),
        ("less(1, 'a')", "an integer is needed, not string"),
        ("replace('a', '', 'b')", "not empty"),
        ("range(0, 10001)", "0 to 10,000 numbers"),
        ("range(0, -1)", "0 to 10,000 numbers"),
        ("padLeft('a', 3, 'xy')", "one character"),
        ("base64ToString('*')", "cannot take"),
        ("union(createArray(), createObject())", "an array is needed, not object"),
        ("take(1, 1)", "a string or an array is needed"),
        ("json('[NaN]')", "NaN is not JSON"),
        ("dateTimeAdd('2023-01-01', 'P')", "ISO 8601 duration"),
        ("dateTimeAdd('2023-01-01', 'P99999Y')", "cannot take"),
        ("dateTimeAdd('yesterday', 'P1D')", "cannot take"),
        ("dateTimeFromEpoch(67768036191676800)", "cannot take"),
        ("parameters('object').?nothing", "cannot be read at column 23"),
        ("int(true())", "takes a text or an integer"),
        ("bool('perhaps')", "takes 'true' or 'false'"),
        ("substring('abc', 2, 5)", "outside a text of 3"),
        ("substring('abc', 'x')", "an integer is needed, not string"),
        ("substring('abc', -1)", "outside a text of 3"),
        ("format('{3}', 'a')", "cannot take"),
        ("format('{0:C2}', 1)", "knows the .NET formats D, F, N and X"),
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
        "format('{1:N}', parameters('secret'))",
        "format(concat('{0:', parameters('secret'), '}'), 1)",
        "dateTimeAdd(parameters('secret'), 'P1D')",
        "dateTimeAdd('2026-01-01', 'P1D', concat('FFF', parameters('secret')))",
        "base64ToJson(parameters('secret'))",
        "padLeft('a', parameters('secret'))",
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
def test_which_texts_are_expressions(text: str, bracketed: bool, escaped: bool) -> None:
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


@pytest.mark.parametrize("name", sorted(KNOWN_FUNCTIONS))
def test_known_functions_are_there(name: str) -> None:
    """What counts as a function in a script's brackets is one."""
    try:
        value(f"{name}()")
    except ExpressionError as error:
        assert "no function" not in str(error)  # noqa: PT017 - most of them need arguments


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


names = st.sampled_from([*FUNCTIONS, "if", "parameters", "variables", "resourceId", "utcNow", "copyIndex", "listKeys"])
literals = st.integers().map(str) | st.text(max_size=6).map(lambda text: "'" + text.replace("'", "''") + "'")
expressions = st.recursive(
    literals | st.sampled_from(["parameters('object')", "parameters('list')", "null()", "json('[0.5, {}]')"]),
    lambda inner: (
        st.builds(lambda name, arguments: f"{name}({','.join(arguments)})", names, st.lists(inner, max_size=4))
        | st.builds(lambda owner, index: f"{owner}[{index}].x", inner, inner)
    ),
    max_leaves=12,
)


@given(st.text() | st.text(alphabet="abc()[]'.,0 1-", max_size=30) | expressions)
def test_no_text_breaks_the_evaluation(text: str) -> None:
    """Any text is evaluated or refused with our own error, be unknown values allowed or not."""
    for allow_unknown in (False, True):
        try:
            evaluate(f"[{text}]", Values(DOCUMENT, {}, CONTEXT, allow_unknown=allow_unknown))
        except ExpressionError as error:
            assert str(error)  # noqa: PT017 - either outcome is fine, a foreign error is not
