"""The parameters of a document: which values they have, and which are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.evaluation import COPY, CopiedVariable, Scope, evaluate
from aib_emulator.services.resources.deployments.syntax import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aib_emulator.services.resources.deployments.request import DeploymentRequest

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "securestring": (str,),
    "int": (int,),
    "bool": (bool,),
    "object": (dict,),
    "secureobject": (dict,),
    "array": (list,),
}
WRITTEN = {"securestring": "SecureString", "secureobject": "SecureObject"}
STARS = "*******"
JSON_WORDS = {str: "String", int: "Integer", bool: "Boolean", dict: "Object", list: "Array", type(None): "Null"}


def first_scope(request: DeploymentRequest, functions: Mapping[str, Callable[..., Any]]) -> Scope:
    """Return the scope of a whole document, with the value of each parameter."""
    declared = request.document.get("parameters") or {}
    _check_names(declared, request.parameters)
    variables = _variables(request.document.get("variables") or {})
    values: dict[str, Any] = {}
    scope = Scope(values, variables, functions)
    sent = {name.lower(): value for name, value in request.parameters.items()}
    for name, declaration in declared.items():
        values[name.lower()] = _value(name, declaration, sent.get(name.lower()), scope)
    return scope


def invalid_document(message: str) -> ArmError:
    """Return ARM's refusal of a document."""
    return ArmError(400, "InvalidTemplate", f"Deployment template validation failed: '{message}'.")


def written_type(declaration: Mapping[str, Any]) -> str:
    """Return a declared type as answers write it: `string` is `String`."""
    word = str(declaration.get("type", ""))
    return WRITTEN.get(word.lower(), word.capitalize())


def shown_parameters(request: DeploymentRequest, scope: Scope) -> dict[str, Any]:
    """Return the parameters as a deployment shows them: secure ones without their values."""
    shown: dict[str, Any] = {}
    for name, declaration in (request.document.get("parameters") or {}).items():
        word = written_type(declaration)
        is_secure = word in WRITTEN.values()
        shown[name] = {"type": word} if is_secure else {"type": word, "value": scope.parameters[name.lower()]}
    return shown


def without_secrets(request: DeploymentRequest, scope: Scope) -> Scope:
    """Return the scope with stars in the place of secure values, for what is shown to people."""
    declared = request.document.get("parameters") or {}
    secure = {name.lower() for name, declaration in declared.items() if written_type(declaration) in WRITTEN.values()}
    values = {name: STARS if name in secure else value for name, value in scope.parameters.items()}
    return replace(scope, parameters=values)


def _variables(written: Mapping[str, Any]) -> dict[str, Any]:
    found = {name.lower(): value for name, value in written.items()}
    if isinstance(found.get(COPY), list):
        found.update({str(loop["name"]).lower(): CopiedVariable(loop) for loop in found.pop(COPY)})
    return found


def _check_names(declared: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    known = {name.lower() for name in declared}
    strangers = [name for name in sent if name.lower() not in known]
    if strangers:
        raise invalid_document(
            f"The template parameters '{', '.join(strangers)}' in the parameters file are not valid; they are not "
            "present in the original template and can therefore not be provided at deployment time. The only supported "
            f"parameters for this template are '{', '.join(declared)}'. Please see "
            "https://aka.ms/arm-pass-parameter-values for usage details."
        )


def _value(name: str, declaration: Mapping[str, Any], sent: Any, scope: Scope) -> Any:
    if isinstance(sent, dict) and "reference" in sent:
        vault = (sent["reference"].get("keyVault") or {}).get("id", "")
        message = f"The specified KeyVault '{vault}' could not be found."
        raise ArmError(400, "KeyVaultParameterReferenceNotFound", message)
    if isinstance(sent, dict) and sent.get("value") is not None:
        value = sent["value"]
    elif "defaultValue" in declaration:
        value = _default(declaration["defaultValue"], scope)
    elif declaration.get("nullable") is True:
        return None
    else:
        raise invalid_document(
            f"The value for the template parameter '{name}' is not provided. "
            "Please see https://aka.ms/arm-create-parameter-file for usage details."
        )
    _check(name, declaration, value)
    return value


def _default(value: Any, scope: Scope) -> Any:
    try:
        return evaluate(value, scope)
    except ExpressionError as error:
        raise invalid_document(str(error)) from error


def _check(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    wanted = TYPES.get(str(declaration.get("type", "")).lower())
    is_secure = written_type(declaration) in WRITTEN.values()
    prefix = f"The provided value for the template parameter '{name}' is not valid."
    if wanted is None:
        raise invalid_document(f"The type of the template parameter '{name}' is not valid.")
    if type(value) not in wanted:
        raise invalid_document(
            f"{prefix} Expected a value of type '{written_type(declaration)}', but received a value of type "
            f"'{JSON_WORDS.get(type(value), 'Float')}'. "
            "Please see https://aka.ms/arm-create-parameter-file for usage details."
        )
    allowed = declaration.get("allowedValues")
    if allowed and value not in allowed:
        shown = "" if is_secure else f" The value '{value}' is not part of the allowed value(s): "
        listed = "" if is_secure else f"'{','.join(map(str, allowed))}'."
        raise invalid_document(prefix + shown + listed)
