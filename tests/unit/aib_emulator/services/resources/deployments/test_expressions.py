from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.resources.deployments.evaluation import Scope, evaluate, questions
from aib_emulator.services.resources.deployments.place import Place
from aib_emulator.services.resources.deployments.syntax import DEEPEST, ExpressionError, parse

GROUP = "/subscriptions/s/resourceGroups/images"
SCOPE = Scope(
    parameters={"name": "golden", "list": ["a", "b"], "object": {"Inner": {"x": 1}}},
    variables={"full": "[concat(parameters('NAME'), '-image')]", "loop": "[variables('loop')]"},
    functions={"resourceid": Place("s", "images").resource_id},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("[[not one]", "[not one]"),
        ("[not one", "[not one"),
        ("[parameters('name')]", "golden"),
        ("[variables('Full')]", "golden-image"),
        ("[concat('it''s ', parameters('name'))]", "it's golden"),
        ("[concat(parameters('list'), createArray('c'))]", ["a", "b", "c"]),
        ("[parameters('object').inner['X']]", 1),
        ("[parameters('list')[1]]", "b"),
        ("[format('{0}-{1}-{{0}}', 'a', 2)]", "a-2-{0}"),
        ("[if(equals('a', 'a'), 'yes', parameters('none'))]", "yes"),
        ("[if(and(true(), not(false())), 1, 2)]", 1),
        ("[or(false(), equals(1, '1'))]", False),
        ("[toUpper(replace('a-b', '-', '_'))]", "A_B"),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[first(split('a/b', '/'))]", "a"),
        ("[union(createObject('a', 1), createObject('b', 2))]", {"a": 1, "b": 2}),
        ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
        ("[intersection(createArray(1, 2), createArray(2, 3))]", [2]),
        ("[contains(createObject('A', 1), 'a')]", True),
        ("[coalesce(null(), 'b')]", "b"),
        ("[string(createArray('a', true()))]", '["a",true]'),
        ("[substring('abcdef', 1, 3)]", "bcd"),
        ("[mod(sub(0, 7), 3)]", -1),
        ("[range(2, 3)]", [2, 3, 4]),
        ("[base64ToString(base64('a b'))]", "a b"),
        ("[tryGet(parameters('object'), 'INNER', 'x')]", 1),
        ("[tryGet(parameters('object'), 'no', 'x')]", None),
        ("[tryGet(parameters('list'), 7)]", None),
        ("[flatten(createArray(createArray(1), createArray(2)))]", [1, 2]),
        ("[objectKeys(createObject('b', 1, 'A', 2))]", ["A", "b"]),
        ("[padLeft('7', 3, '0')]", "007"),
        ("[length(parameters('list'))]", 2),
        ("[empty('')]", True),
        ("[uniqueString('hello', 'world')]", "a7wkljktk6wne"),
        ("[uniqueString('test example')]", "vgcxhwvqqm7my"),
        ("[guid('hello', 'world')]", "a5b868f8-11fe-567a-ace0-e77cc87f104e"),
        ("[resourceId('Microsoft.A/ones', 'x')]", f"{GROUP}/providers/Microsoft.A/ones/x"),
        (
            "[resourceId('other', 'Microsoft.A/ones/twos', 'x', 'y')]",
            f"{GROUP[:-6]}other/providers/Microsoft.A/ones/x/twos/y",
        ),
    ],
)
def test_value_of_an_expression(text: str, value: Any) -> None:
    """Each function gives what Azure's gives."""
    assert evaluate(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[parameters('none')]", "The template parameter 'none' is not found"),
        ("[variables('none')]", "The template variable 'none' is not found"),
        ("[variables('loop')]", "The template variable 'loop' depends on itself"),
        ("[nothing()]", "The template function 'nothing' is not valid"),
        ("[parameters('object').outer]", "'outer' doesn't exist, available properties are 'Inner'"),
        ("[parameters('list')[2]]", "array index '2' is out of bounds"),
        ("[toLower(1)]", "Unable to evaluate template language function 'toLower'"),
        ("[resourceId('x')]", "requires fully qualified resource type"),
        ("[resourceId('Microsoft.A/ones', 'x', 'y')]", "requires '1' resource name argument"),
        ("[copyIndex()]", "'copyIndex' is not expected at this location"),
        ("[concat('a',)]", "Unable to parse"),
        ("[concat(, 'a')]", "Unable to parse"),
        ("[concat('a']", "Unable to parse"),
        ("[concat('a' 'b')]", "Unable to parse"),
        ("['a' 'b']", "Unable to parse"),
        ("[a.b]", "Unable to parse"),
        ("[]", "Unable to parse"),
        ("[range(0, 100000)]", "must lie between 0 and 800"),
    ],
)
def test_what_cannot_be_evaluated(text: str, words: str) -> None:
    """An expression that makes no sense is refused in ARM's words."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, SCOPE)
    assert words in str(caught.value)


def test_brackets_nest_to_a_bound() -> None:
    """An expression cannot exhaust the emulator."""
    with pytest.raises(ExpressionError):
        parse("[" + "concat(" * DEEPEST + "'a'" + ")" * DEEPEST + "]")


def test_copy_loops_of_properties() -> None:
    """A loop makes a list, and knows where it stands; loops inside others keep their names."""
    loop = {"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks')]", "size": "[copyIndex(10)]"}}
    assert evaluate({"copy": [loop], "other": 1}, SCOPE) == {
        "disks": [{"lun": 0, "size": 10}, {"lun": 1, "size": 11}],
        "other": 1,
    }


def test_names_of_members_are_evaluated() -> None:
    """An identity is named by an expression in the place of a key."""
    assert evaluate({"[parameters('name')]": {}}, SCOPE) == {"golden": {}}


def test_what_an_expression_asks_is_known_beforehand() -> None:
    """Calls inside others are found with the values of their arguments; what cannot be known is left out."""
    value = {"a": ["[concat(reference(concat('x', 'y')).z, reference(parameters('none')))]"], "b": "reference('no')"}
    assert list(questions(value, SCOPE, lambda name: name == "reference")) == [("reference", ["xy"])]
