"""The syntax of ARM's expressions: function calls, 'text' ('' is a quote), integers, `.member` and `[index]`."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.limits import LONGEST_EXPRESSION, ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Lark, Token, Tree

# Members and indexes stand in one row behind a value, so that a long row is no deep tree.
_GRAMMAR = r"""
?start: value
?value: primary
      | primary accessor+ -> access
?primary: call
        | TEXT            -> text
        | INTEGER         -> integer
?accessor: "." NAME       -> member
         | "[" value "]"  -> index
call: FUNCTION "(" [value ("," value)*] ")"

// A function that the document defines itself has a namespace before its name.
FUNCTION: /[A-Za-z_$][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?(?=\s*\()/
NAME: /[A-Za-z_$][A-Za-z0-9_]*/
TEXT: /'(?:[^']|'')*'/
INTEGER: /-?[0-9]{1,19}/

%import common.WS
%ignore WS
"""


def is_bracketed(text: str) -> bool:
    """Whether ARM takes the text for an expression."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def is_escaped(text: str) -> bool:
    """Whether the text stands for itself without its first bracket."""
    return text.startswith("[[") and text.endswith("]")


def parse_expression(text: str) -> Tree[Token]:
    """Parse a bracketed text; a wrong one is an `ExpressionError`."""
    from lark.exceptions import UnexpectedInput

    if len(text) > LONGEST_EXPRESSION:
        raise ExpressionError(f"it has more than {LONGEST_EXPRESSION:,} characters")
    try:
        return _parse(text[1:-1])
    except UnexpectedInput as error:
        is_at_end = getattr(getattr(error, "token", None), "type", None) == "$END"
        # The parser has not seen the opening bracket, which is column 1.
        where = "its end" if is_at_end else f"column {error.column + 1}"
        why = ", since a ')' is missing" if _lacks_parenthesis(text) else ""
        raise ExpressionError(f"it cannot be read at {where}{why}") from error


def _lacks_parenthesis(text: str) -> bool:
    """Whether more parentheses are opened than closed outside texts."""
    plain = re.sub(r"'(?:[^']|'')*+'", "", text)
    return plain.count("(") > plain.count(")")


def called_functions(text: str) -> frozenset[str]:
    """Give the functions that a bracketed text calls, in lower case; none where it is no expression at all."""
    try:
        return frozenset(name.casefold() for name, _ in calls(parse_expression(text)))
    except ExpressionError:
        return frozenset()


def calls(tree: Tree[Token]) -> Iterator[tuple[str, str | None]]:
    """Give each function that an expression calls, with its first argument where that is a literal text."""
    for call in tree.find_data("call"):
        name, *arguments = call.children
        first = arguments[0] if arguments else None
        yield str(name), literal_of(first) if rule_of(first) == "text" else None


def rule_of(node: Any) -> str | None:
    """Name the rule of the grammar that made a node."""
    return getattr(node, "data", None)


def literal_of(node: Any) -> str:
    """Give the text that a literal stands for."""
    return str(node.children[0])[1:-1].replace("''", "'")


@lru_cache(maxsize=1024)
def _parse(expression: str) -> Tree[Token]:
    """Parse once what a document says in many places; nobody changes a tree."""
    return _parser().parse(expression)


@cache
def _parser() -> Lark:
    from lark import Lark as LarkParser

    return LarkParser(_GRAMMAR, parser="lalr")
