from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.inputs import first_scope, shown_parameters
from aib_emulator.services.resources.deployments.request import DeploymentRequest

DECLARED = {
    "name": {"type": "string", "allowedValues": ["a", "b"]},
    "full": {"type": "String", "defaultValue": "[concat(parameters('name'), '-image')]"},
    "secret": {"type": "secureString", "defaultValue": "hidden", "allowedValues": ["hidden"]},
    "maybe": {"type": "int", "nullable": True},
}


def request(**values: Any) -> DeploymentRequest:
    """Return a request with these values."""
    return DeploymentRequest({"parameters": DECLARED}, {name: {"value": value} for name, value in values.items()})


def test_values_and_defaults() -> None:
    """Names count in any casing, and a default may name an earlier parameter."""
    assert first_scope(request(NAME="a"), {}).parameters == {
        "name": "a",
        "full": "a-image",
        "secret": "hidden",
        "maybe": None,
    }


def test_variables_of_copy_loops() -> None:
    """A loop among the variables makes a variable of its own."""
    loop = {"name": "names", "count": 2, "input": "[concat('disk', copyIndex('names', 1))]"}
    scope = first_scope(DeploymentRequest({"variables": {"copy": [loop]}}), {})
    assert scope.variable("Names") == ["disk1", "disk2"]


def test_secure_values_are_not_shown() -> None:
    """A deployment shows types with capitals, and no secret."""
    asked = request(name="a")
    shown = shown_parameters(asked, first_scope(asked, {}))
    assert shown["full"] == {"type": "String", "value": "a-image"}
    assert shown["secret"] == {"type": "SecureString"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "The value for the template parameter 'name' is not provided"),
        ({"name": "c"}, "The value 'c' is not part of the allowed value(s): 'a,b'"),
        ({"name": 1}, "Expected a value of type 'String', but received a value of type 'Integer'"),
        ({"name": "a", "maybe": True}, "Expected a value of type 'Int', but received a value of type 'Boolean'"),
        ({"name": "a", "other": 1}, "The template parameters 'other' in the parameters file are not valid"),
    ],
)
def test_values_that_are_refused(values: dict[str, Any], words: str) -> None:
    """A missing, unfitting or unknown value is refused by name."""
    with pytest.raises(ArmError) as caught:
        first_scope(request(**values), {})
    assert caught.value.code == "InvalidTemplate"
    assert words in caught.value.message


def test_a_refused_secret_is_not_quoted() -> None:
    """The message about a secure parameter holds neither the value nor what is allowed."""
    with pytest.raises(ArmError) as caught:
        first_scope(request(name="a", secret="guessed"), {})
    assert "secret" in caught.value.message
    assert "guessed" not in caught.value.message
    assert "hidden" not in caught.value.message


def test_key_vaults_are_not_there() -> None:
    """A parameter that refers to a key vault is refused: the emulator has none."""
    asked = DeploymentRequest({"parameters": DECLARED}, {"name": {"reference": {"keyVault": {"id": "/a/vault"}}}})
    with pytest.raises(ArmError) as caught:
        first_scope(asked, {})
    assert caught.value.code == "KeyVaultParameterReferenceNotFound"
