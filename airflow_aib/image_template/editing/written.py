"""Values as JSON and YAML write them, quoted as what they take the place of."""

from __future__ import annotations

import json
import re
from typing import Any

from airflow_aib.image_template.text.source_text import parse_text

_PLAIN = re.compile(r"[A-Za-z0-9_/.<-][\w/.<>-]*", re.ASCII)


def written(value: Any, former: str, *, is_json: bool) -> str:
    """Write a value.

    :param former: what it takes the place of, whose quotes are kept
    """
    if is_json or former.startswith('"'):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'" if former.startswith("'") else _plain(value)
    if isinstance(value, list):
        return f"[{', '.join(written(item, former, is_json=False) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_plain(key)}: {written(item, former, is_json=False)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value)


def _plain(text: str) -> str:
    """Write YAML's text without quotes where it stays text."""
    is_text = _PLAIN.fullmatch(text) and parse_text(f"- {text}", "a.yaml")[0] == [text]
    return text if is_text else json.dumps(text, ensure_ascii=False)
