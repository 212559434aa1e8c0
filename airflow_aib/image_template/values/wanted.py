"""Which names a document asks for, so that all missing ones can be reported at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.copy_loops import is_loops
from airflow_aib.image_template.expressions.limits import DEEPEST, ExpressionError
from airflow_aib.image_template.expressions.syntax import calls, is_bracketed, is_escaped, parse_expression
from airflow_aib.image_template.values.placeholders import is_free_text, placeholders_in

if TYPE_CHECKING:
    from airflow_aib.image_template.values.parameters import Values


def missing_names(parts: dict[str, Any], values: Values, *, is_deployment: bool) -> list[str]:
    """Give every name without a value, in the order of the document: `name` of a parameter, `<name>` of a placeholder.

    :param parts: what will be rendered, by its path
    :param is_deployment: whether every bracketed text is an expression
    """
    search = _Search(values, is_deployment=is_deployment)
    for path, part in parts.items():
        search.look_at(part, path)
    return list(search.missing)


class _Search:
    """Walk a document without evaluating it."""

    def __init__(self, values: Values, *, is_deployment: bool) -> None:
        self._values = values
        self._is_deployment = is_deployment
        self._followed: set[str] = set()
        self._depth = 0
        # A dict keeps the order and each name once.
        self.missing: dict[str, None] = {}

    def look_at(self, value: Any, path: str) -> None:
        # What lies deeper is refused when it is evaluated.
        if self._depth >= DEEPEST:
            return
        self._depth += 1
        self._look_inside(value, path)
        self._depth -= 1

    def _look_inside(self, value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if is_loops(key, item):
                    self._look_at_loops(item, path)
                else:
                    self._look_at_text(key, path, is_free=False)
                    self.look_at(item, f"{path}/{key}")
        elif isinstance(value, list):
            for item in value:
                self.look_at(item, path)
        elif isinstance(value, str):
            self._look_at_text(value, path, is_free=is_free_text(path))

    def _look_at_loops(self, loops: list[Any], path: str) -> None:
        """Look at what copy loops make where it will stand; what is wrong with a loop is told later."""
        for loop in loops:
            if isinstance(loop, dict):
                self.look_at(loop.get("count"), path)
                self.look_at(loop.get("input"), f"{path}/{loop.get('name')}")

    def _look_at_text(self, text: str, path: str, *, is_free: bool) -> None:
        if is_bracketed(text) and self._look_at_expression(text, path):
            return
        if is_escaped(text) or is_free:
            return
        for name in placeholders_in(text):
            if not self._values.is_known(name):
                self.missing[f"<{name}>"] = None

    def _look_at_expression(self, text: str, path: str) -> bool:
        """Note what an expression asks for; whether it is one at all."""
        try:
            called = list(calls(parse_expression(text)))
        except ExpressionError:
            return self._is_deployment
        for function, name in called:
            self._note(function.casefold(), name, path)
        return bool(called)

    def _note(self, function: str, name: str | None, path: str) -> None:
        if name is None:
            return
        if function == "variables":
            self._follow(f"v {name}", self._values.raw_variable(name), path)
        elif function == "parameters":
            if not self._values.is_known(name):
                self.missing[name] = None
            elif not self._values.is_given(name):
                self._follow(f"p {name}", self._values.default_of(name), path)

    def _follow(self, key: str, value: Any, path: str) -> None:
        """Look once into what an expression refers to: variables and defaults may form circles."""
        if key.casefold() not in self._followed:
            self._followed.add(key.casefold())
            self.look_at(value, path)
