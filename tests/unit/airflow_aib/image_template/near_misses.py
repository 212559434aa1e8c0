"""Image templates that are almost right: by the tables, with what people and machines get wrong mixed in."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from airflow_aib.image_template.document import IMAGE_TEMPLATE_TYPE
from airflow_aib.image_template.members.kinds import PROPERTIES
from airflow_aib.image_template.members.shapes import Family, Member, Shape
from tests.unit.airflow_aib.image_template.sample_documents import GROUP, IDENTITY

# Every character that JSON can carry, so without halves of surrogate pairs.
texts = st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False, width=32) | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
PLAIN = (
    "",
    "latest",
    "Standard_D2s_v3",
    "Enabled",
    "5m",
    "60",
    "-1",
    "TRUE",
    "1e3",
    "9" * 5000,
    "\0",
    "é\u2028",
    GROUP,
)
LANGUAGES = (
    "<imgBuilderId>", "<a b>", "<", "/subscriptions/<subscriptionId>/resourceGroups/{rgName}", "[", "[]", "[[x]",
    "[concat('a', 'b')]", "[parameters('p')]", "[parameters('q')]", "[variables('v')]", "[resourceGroup().location]",
    "[utcNow()]", "[concat(1)[0]]", "[if(1, 2)]", "[format('{0}{9}', 1)]", "[json('{')]", "[ -f x ]", "[first('')]",
)  # fmt: skip
STRAY = ("Type", "tags", "copy", "condition", "apiVersion", "x/y", "x~y", "")


def members(draw: st.DrawFn, shape: Shape, words: st.SearchStrategy[str]) -> dict[str, Any]:
    """Draw an object with some of a shape's members."""
    chosen = draw(st.lists(st.sampled_from(sorted(shape.members)), unique=True, max_size=6))
    return {name: value_of(draw, shape.members[name], words) for name in chosen}


def value_of(draw: st.DrawFn, member: Member, words: st.SearchStrategy[str]) -> Any:
    """Draw a value of the member's kind."""
    match member.kind:
        case "string":
            return draw(st.sampled_from(member.values) | words if member.values else words)
        case "list":
            return [held(draw, member.holds, words) for _ in range(draw(st.integers(0, 2)))]
        case "object":
            return held(draw, member.holds, words)
        case "texts":
            return draw(tag_maps(words))
        case "integer":
            return draw(st.integers(-2, 1000))
        case _:
            return draw(st.booleans())


def held(draw: st.DrawFn, holds: Any, words: st.SearchStrategy[str]) -> Any:
    """Draw what an object is, or a list holds."""
    if isinstance(holds, Shape):
        return members(draw, holds, words)
    if isinstance(holds, Family):
        kind = draw(st.sampled_from(list(holds.kinds.values())))
        return members(draw, kind, words) | {holds.told_by: kind.name}
    return draw(st.integers(0, 9) if holds == "integer" else words)


def tag_maps(words: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """Give tags, whose names Azure compares without letter case."""
    names = st.lists(texts, max_size=2, unique_by=str.casefold)
    return names.flatmap(lambda some: st.fixed_dictionaries(dict.fromkeys(some, words)))


@st.composite
def bodies(draw: st.DrawFn, words: st.SearchStrategy[str]) -> dict[str, Any]:
    """Give bare image templates that follow the tables, with these words as texts."""
    body: dict[str, Any] = {"location": "eastus", "properties": members(draw, PROPERTIES, words)}
    if draw(st.booleans()):
        body["tags"] = draw(tag_maps(words))
    if draw(st.booleans()):
        body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    return body


@st.composite
def spoiled(draw: st.DrawFn, contents: st.SearchStrategy[Any]) -> Any:
    """Give a content with up to three things in it replaced, respelt or added."""
    content = draw(contents)
    for _ in range(draw(st.integers(0, 3))):
        holder = draw(st.sampled_from([value for value in inside(content) if isinstance(value, dict | list) and value]))
        if isinstance(holder, list):
            holder[draw(st.integers(0, len(holder) - 1))] = draw(anything)
            continue
        key = draw(st.sampled_from(sorted(holder)))
        match draw(st.sampled_from(["replace", "respell", "add"])):
            case "replace":
                holder[key] = draw(anything)
            case "respell":
                holder[draw(st.sampled_from([key.upper(), key.swapcase(), key + " "]))] = holder.pop(key)
            case _:
                holder[draw(st.sampled_from(STRAY))] = draw(anything)
    return content


@st.composite
def deployments(draw: st.DrawFn, contents: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """Give deployment files with such image templates, as a list or by symbolic names."""
    resources = [
        {"type": IMAGE_TEMPLATE_TYPE, "name": "[parameters('p')]", **draw(contents)}
        for _ in range(draw(st.integers(1, 2)))
    ]
    file: dict[str, Any] = {"resources": resources}
    if draw(st.booleans()):
        file["resources"] = {f"r{index}": resource for index, resource in enumerate(resources)}
    if draw(st.booleans()):
        file["parameters"] = {"p": {"type": "string", "defaultValue": "a"}, "q": {"type": "secureString"}}
    if draw(st.booleans()):
        file["variables"] = {"v": draw(anything | st.sampled_from(LANGUAGES))}
    return file


def inside(value: Any) -> list[Any]:
    """List a value and all that it holds."""
    found = [value]
    for one in found:
        found.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
    return found


plain_words = st.sampled_from(PLAIN)
all_words = plain_words | st.sampled_from(LANGUAGES) | texts
