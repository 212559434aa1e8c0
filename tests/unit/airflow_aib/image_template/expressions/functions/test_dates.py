from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from airflow_aib.exceptions import ImageTemplateRenderError
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.expressions.functions.dates import formatted_moment
from airflow_aib.image_template.expressions.limits import ExpressionError
from airflow_aib.image_template.render import RenderContext, render
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body

NOW = datetime(2019, 3, 5, 17, 53, 18, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("d", "03/05/2019"),
        ("D", "Tuesday, 05 March 2019"),
        ("s", "2019-03-05T17:53:18"),
        ("u", "2019-03-05 17:53:18Z"),
        ("o", "2019-03-05T17:53:18.1234560Z"),
        ("R", "Tue, 05 Mar 2019 17:53:18 GMT"),
        ("T", "17:53:18"),
        ("M d", "3 5"),
        ("yyyy.MM.dd", "2019.03.05"),
        ("yyMMdd-HHmmss", "190305-175318"),
        ("ddd MMM h:m:s tt", "Tue Mar 5:53:18 PM"),
        ("dddd, MMMM H t", "Tuesday, March 17 P"),
        ("hh f ff fff fffffff", "05 1 12 123 1234560"),
        ("yyyy-MM-ddTHH:mm:ssK", "2019-03-05T17:53:18Z"),
        ("zzz zz z", "+00:00 +00 +0"),
        ("'day' d \"of\" %M \\d", "day 5 of 3 d"),
        ("", ""),
    ],
)
def test_formats(pattern: str, expected: str) -> None:
    """The usual .NET formats give what .NET gives."""
    assert formatted_moment(NOW, pattern) == expected


def test_the_format_of_its_own() -> None:
    """Without a format it is the short ISO one, in UTC."""
    assert formatted_moment(NOW.astimezone(timezone(timedelta(hours=9)))) == "20190305T175318Z"


@pytest.mark.parametrize("pattern", ["g", "x", "ddddd", "yyyyyy", "FFF"])
def test_unknown_formats(pattern: str) -> None:
    """A format that is not known here is an error, and not a wrong text."""
    with pytest.raises(ExpressionError, match="not known here"):
        formatted_moment(NOW, pattern)


def rendered(expression: str, context: RenderContext, default: str = "[utcNow('yyyy.MM.dd')]") -> object:
    """Render an expression beside a parameter whose default asks for the moment."""
    image_template = {**body(x=expression), "type": "Microsoft.VirtualMachineImages/imageTemplates", "name": "t"}
    document = {"parameters": {"v": {"type": "string", "defaultValue": default}}, "resources": [image_template]}
    return render(read_document(document), {}, context).body["properties"]["x"]


def test_the_moment_is_handed_in() -> None:
    """A default gets the moment of the context."""
    context = RenderContext("s", "g", now=NOW)

    assert rendered("[parameters('v')]", context) == "2019.03.05"
    assert rendered("[parameters('v')]", context, "[concat('v', utcNow())]") == "v20190305T175318Z"


def test_without_a_moment() -> None:
    """Nothing reads the machine's clock: the value must be passed."""
    with pytest.raises(ImageTemplateRenderError, match="pass its value as a parameter"):
        rendered("[parameters('v')]", CONTEXT)


def test_the_moment_is_for_defaults() -> None:
    """As in ARM, nothing but a default may ask for the moment."""
    with pytest.raises(ImageTemplateRenderError, match="defaultValue of a parameter only"):
        rendered("[utcNow()]", RenderContext("s", "g", now=NOW))
