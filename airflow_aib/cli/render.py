"""`airflow-aib render`: print the exact body that would be submitted."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from airflow_aib.cli.exact import chosen_in, label_of, rendered_exactly
from airflow_aib.cli.files import source_of
from airflow_aib.cli.running import GOOD, NOT_GOOD
from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.cli.values import values_of
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.secret_patterns import MASK, blanked, without_secrets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from airflow_aib.cli.console import Console


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the body of one image template."""
    values = values_of(options)
    source = source_of(options.path, stdin=console.stdin, stdin_name=options.stdin_filename)
    try:
        documents = chosen_in(source, options.name)
        if len(documents) > 1:
            names = ", ".join(map(label_of, documents))
            raise UnusableCallError(f"{source.name} holds several image templates; name one with --name: {names}.")
        rendered = rendered_exactly(documents[0], values)
    except ImageTemplateError as error:
        console.remark(str(error))
        return NOT_GOOD
    body = rendered.written if options.written else rendered.body
    shown = body if options.show_secrets else masked(body, rendered.secrets)
    console.say_json(shown)
    if shown != body:
        console.remark(f"Secrets are shown as {MASK}; --show-secrets prints the body that would be submitted.")
    return GOOD


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """Give a body in which `***` stands for what shows itself as a secret, and for the given ones, also in base64."""
    forms = {form for secret in secrets for form in (secret, base64.b64encode(secret.encode()).decode())}
    return _masked(value, sorted(forms, key=len, reverse=True))


def _masked(value: Any, forms: list[str]) -> Any:
    if isinstance(value, dict):
        return {str(_masked(key, forms)): _masked(item, forms) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, forms) for item in _blanked_together(value)]
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, MASK)
        return without_secrets(blanked(value))
    return MASK if str(value) in forms else value


def _blanked_together(items: list[Any]) -> list[Any]:
    """Mask secrets that go over several lines of a script, as keys do."""
    if not all(isinstance(item, str) for item in items):
        return items
    lines = iter(blanked("\n".join(items)).split("\n"))
    return ["\n".join(next(lines) for _ in range(item.count("\n") + 1)) for item in items]
