from __future__ import annotations

import json
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_aib.exceptions import ImageTemplateError, ImageTemplateReadError
from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.document import documents_of, is_image_template_file, read_document, read_documents
from airflow_aib.image_template.fingerprint import differences, fingerprint
from airflow_aib.image_template.render import render
from airflow_aib.image_template.text.source_text import SourceText
from airflow_aib.image_template.text.unreadable import MOST_LEVELS
from tests.unit.airflow_aib.image_template.near_misses import (
    all_words,
    anything,
    bodies,
    deployments,
    plain_words,
    spoiled,
)
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from airflow_aib.image_template.document import ImageTemplateDocument

GENEROUS = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
PARAMETERS = {"imgBuilderId": "i", "q": "hunter22"}


def judge(documents: Iterable[ImageTemplateDocument], *, allow_unknown: bool = False) -> None:
    """Do with documents all that is done before Azure is asked."""
    for document in documents:
        rendered = render(document, PARAMETERS, CONTEXT, allow_unknown=allow_unknown)
        for finding in examine(rendered).findings:
            assert str(finding)
        fingerprint(rendered.body)
        assert differences(rendered.body, rendered.body) == []


def outcome(text: str, source: str = "a.json", *, allow_unknown: bool = False) -> str:
    """Judge a text; return the message of the refusal, or that there was none."""
    try:
        judge(documents_of(SourceText(text, source)), allow_unknown=allow_unknown)
    except ImageTemplateError as error:
        return str(error)
    return "judged"


@GENEROUS
@given(spoiled(bodies(all_words)) | spoiled(deployments(bodies(all_words))) | anything)
def test_any_content_is_judged(content: Any) -> None:
    """Whatever is almost an image template, or nothing like one, gives findings or an error of ours."""
    assert outcome(json.dumps(content))
    assert outcome(json.dumps(content, indent=1), "a.yaml", allow_unknown=True)


@GENEROUS
@given(spoiled(bodies(all_words)))
def test_dicts_are_judged_as_files_are(content: dict[str, Any]) -> None:
    """A dict has the findings or the error that a file of the same content has."""

    def said(documents: Callable[[], tuple[ImageTemplateDocument, ...]]) -> list[str]:
        try:
            rendered = render(documents()[0], PARAMETERS, CONTEXT)
        except ImageTemplateError as error:
            return [str(error).replace("<dict>", "a.json")]
        return [f"{finding.path} {finding.rule}" for finding in examine(rendered).findings]

    text = SourceText(json.dumps(content), "a.json")
    assert said(lambda: read_documents(content)) == said(lambda: documents_of(text))


@GENEROUS
@given(bodies(plain_words))
def test_a_rendered_body_is_rendered_to_itself(content: dict[str, Any]) -> None:
    """What is current and filled in comes back unchanged, with nothing to report as changed."""
    once = render(read_document(content), {}, CONTEXT)
    twice = render(read_document(once.body), {}, CONTEXT)

    assert twice.body == once.body
    assert twice.changes == ()


@GENEROUS
@given(bodies(plain_words), st.randoms(use_true_random=False))
def test_the_order_of_keys_builds_nothing_else(content: dict[str, Any], chance: random.Random) -> None:
    """Two bodies that differ in the order of their keys have one fingerprint."""
    assert fingerprint(shuffled(content, chance)) == fingerprint(content)


@pytest.mark.parametrize("ending", ["json", "yaml"])
@GENEROUS
@given(content=spoiled(bodies(all_words)))
def test_what_was_written_is_read(ending: str, content: dict[str, Any]) -> None:
    """A body that a JSON or YAML writer wrote is read as it was."""
    content = {"location": "eastus", "properties": content}
    written = json.dumps(content) if ending == "json" else yaml.safe_dump(content, sort_keys=False)

    (document,) = documents_of(SourceText(written, f"a.{ending}"))
    assert document.body == content


def with_tags(tags: str, *, line: str = "true", times: int = 1) -> str:
    """Write a good image template, with this text as its tags, and its one step so many times."""
    content = json.dumps(body(customize=[{"type": "Shell", "name": f"s{i}", "inline": [line]} for i in range(times)]))
    return f'{content[:-1]}, "tags": {tags}}}'


MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{f'*a{i - 1}, ' * 9}]}}\n" for i in range(1, 30))
LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]\n" for i in range(1, 30))


@pytest.mark.parametrize(
    ("text", "source", "said"),
    [
        (with_tags('{"a": ' + "[" * (MOST_LEVELS - 2) + "]" * (MOST_LEVELS - 2) + "}"), "a.json", "judged"),
        (with_tags("[" * MOST_LEVELS + "]" * MOST_LEVELS), "a.json", "nested too deeply"),
        (with_tags("[" * 900 + "]" * 900), "a.json", "nested too deeply"),
        (with_tags("[" * 100_000), "a.json", "nested too deeply"),
        ("properties: " + "[" * 100_000, "a.yaml", "nested too deeply"),
        ("properties: " + "{a: " * 900 + "1" + "}" * 900, "a.yaml", "nested too deeply"),
        ("".join(f"{' ' * i}a:\n" for i in range(900)), "a.yaml", "nested too deeply"),
        ("- " * 900 + "x", "a.yaml", "nested too deeply"),
        (with_tags("{}", line="x" * 10_000_000), "a.json", "judged"),
        (with_tags("{}", line="[" + "x" * 1_000_000 + "]"), "a.json", "judged"),
        (with_tags("{}", line="<a" * 1_000_000), "a.json", "judged"),
        (with_tags("{}", line="A" * 500_000 + " > /tmp/DeprovisioningScript.sh"), "a.json", "judged"),
        (with_tags("{}", times=50_000), "a.json", "judged"),
        (with_tags('{"a": "\\ud83d"}'), "a.json", "half a character"),
        (with_tags('{"\\udc00": 1}'), "a.json", "half a character"),
        (with_tags('{"a": "\\ud83d\\ude00"}'), "a.json", "judged"),
        (with_tags('{"a\\u0000": "\0"}'), "a.json", "judged"),
        (with_tags('{"a": 1e999}'), "a.json", "too great"),
        ("properties: {a: -1.0e999}", "a.yaml", "too great"),
        (with_tags(f'{{"a": {"9" * 4000}}}'), "a.json", "judged"),
        (with_tags(f'{{"a": {"9" * 5000}}}'), "a.json", "smaller number"),
        (with_tags("{" + '"a": 1,' * 20_000 + "}"), "a.json", "judged"),
        ('{"a": "' + '\\"' * 200_000, "a.json", "Unterminated string"),
        ('{"a": "\\', "a.json", "Unterminated string"),
        ("{" + "/* " * 200_000, "a.json", "line 1, column 2"),
        ("{" + "," * 200_000, "a.json", "line 1, column 2"),
        (with_tags("{}") + "// airflow-aib: disable=x -- a" + " " * 200_000 + "b", "a.json", "judged"),
        (MERGES + "properties: *a29", "a.yaml", "too much is merged"),
        ("properties: &a {<<: *a, x: 1}", "a.yaml", "merges itself"),
        ("properties: {<<: x}", "a.yaml", "only mappings"),
        ("properties: &a {x: *a}", "a.yaml", "recursive"),
        (LAUGHS + "properties: {a: *a29}", "a.yaml", "more than 200000"),
    ],
    ids=lambda value: value[-16:] if len(value) > 40 else None,
)
def test_every_text_is_judged_or_refused(text: str, source: str, said: str) -> None:
    """What is deep, huge, endless or impossible is judged or refused, in words that fit."""
    assert said in outcome(text, source)


@pytest.mark.parametrize("where", ["JSON", "YAML"])
def test_the_memory_for_a_long_line_is_a_few_times_its_length(where: str) -> None:
    """A script line of 100 kB is not copied more often than reading and comparing need."""
    line = "x" * 100_000
    text = with_tags("{}", line=line) if where == "JSON" else f'properties: {{"x": "{line}"}}'
    tracemalloc.start()
    try:
        outcome(text, f"a.{where}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * len(line)


@pytest.mark.parametrize(
    "write",
    [
        lambda count: with_tags("{}", times=count),
        lambda count: with_tags("{}", times=count).replace('"type"', '"tipe"'),
        lambda count: with_tags("{" + '"a": 1,' * count + "}"),
        lambda count: with_tags("{" + ",".join(f'"a{i}": "<b{i}>"' for i in range(count)) + "}"),
        lambda count: json.dumps(body(**{f"x{i}": i for i in range(count)})),
    ],
    ids=["steps", "bad steps", "twins", "placeholders", "unknown members"],
)
def test_the_work_grows_with_the_size(write: Callable[[int], str]) -> None:
    """Twice as much of anything takes twice as many calls, not four times as many."""
    few, many = (calls_for(write(count)) for count in (400, 800))

    assert many < 2.4 * few


def calls_for(text: str) -> int:
    """Count the functions that are called to judge a text: the same on every machine."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        outcome(text)
    finally:
        sys.setprofile(None)
    return count


def shuffled(value: Any, chance: random.Random) -> Any:
    """Copy a value with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def test_a_value_that_holds_half_a_character() -> None:
    """What a caller passes, or an expression makes, is judged even where no file could hold it."""
    document = read_document(body() | {"tags": {"passed": "<p>", "made": "[json('\"\\ud83d\"')]"}})
    rendered = render(document, {"p": "\udc00"}, CONTEXT)

    assert rendered.body["tags"] == {"passed": "\udc00", "made": "\ud83d"}
    assert fingerprint(rendered.body) != fingerprint(body())


@pytest.mark.parametrize("path", ["a\0b.json", "\ud800.json"])
def test_a_path_that_no_file_can_have(path: str) -> None:
    """A NUL character or half a character in a path is an error of reading."""
    with pytest.raises(ImageTemplateReadError, match="Cannot read image template"):
        read_document(path)

    assert not is_image_template_file(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_editors_and_shells_write_is_read(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with or without a byte order mark is read, and UTF-16 with one."""
    content = {"type": "Microsoft.VirtualMachineImages/imageTemplates", **body(), "tags": {"a": "é"}}
    file = tmp_path / "a.json"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)

    assert is_image_template_file(file)
    assert read_document(file).body == content


def test_half_a_unit_of_utf_16(tmp_path: Path) -> None:
    """A file of UTF-16 that ends in the middle of a character is refused with the place."""
    file = tmp_path / "a.json"
    file.write_bytes("{}".encode("utf-16") + b"x")

    with pytest.raises(ImageTemplateReadError, match="not UTF-16 at byte 6"):
        read_document(file)
