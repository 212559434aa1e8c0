"""Image templates exactly as they would be submitted: nothing may be missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_aib.cli.image_templates import documents_in, rendered_to_submit
from airflow_aib.cli.values import PLACE_OPTIONS, ways_to_pass
from airflow_aib.exceptions import ImageTemplateError, ImageTemplateReadError, ImageTemplateRenderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.render import RenderedImageTemplate


def chosen_in(source: Source, name: str | None) -> tuple[ImageTemplateDocument, ...]:
    """Give the image templates of a file, or the one with a name.

    :param name: as written in the file, or its symbolic name
    """
    documents = documents_in(source)
    wanted = (name or "").casefold()
    chosen = tuple(one for one in documents if not wanted or wanted in {_key(one.name), _key(one.symbolic_name)})
    if chosen:
        return chosen
    raise ImageTemplateReadError(
        f"{source.name} holds no image template {name!r}",
        hint=f"There are: {', '.join(map(label_of, documents))}.",
        source=source.name,
    )


def label_of(document: ImageTemplateDocument) -> str:
    """Give what a person calls an image template of a file."""
    return document.symbolic_name or document.name or document.pointer


def rendered_exactly(document: ImageTemplateDocument, values: CallValues) -> RenderedImageTemplate:
    """Render an image template; refuse it if anything that it asks for is not given, its place included."""
    try:
        rendered = rendered_to_submit(document, values.living_in(_stand_ins(values, 0)))
    except ImageTemplateRenderError as error:
        if not error.missing:
            raise
        raise _missing(document, error.missing, _places_missing_too(document, values, error.missing)) from error
    options = _places_asked_for(document, values, rendered)
    if options:
        raise _missing(document, (), options)
    return rendered


def _missing(document: ImageTemplateDocument, names: Sequence[str], options: Sequence[str]) -> ImageTemplateRenderError:
    what = [*map(repr, names), *(option.removeprefix("--") for option in options)]
    return ImageTemplateRenderError(
        f"{document.source} has no value for {', '.join(what)}",
        hint=f"{ways_to_pass(names, options)}.",
        missing=[*names, *options],
    )


def _places_missing_too(document: ImageTemplateDocument, values: CallValues, names: Sequence[str]) -> tuple[str, ...]:
    """Look, with some text for each missing name, which options about the place are missing as well."""
    filled = replace(values, from_file={**values.from_file, **dict.fromkeys(names, "some-text")})
    try:
        rendered = rendered_to_submit(document, filled.living_in(_stand_ins(filled, 0)))
    except ImageTemplateError:
        return ()
    return _places_asked_for(document, filled, rendered)


def _places_asked_for(
    document: ImageTemplateDocument, values: CallValues, rendered: RenderedImageTemplate
) -> tuple[str, ...]:
    """Give the options about the place that the call leaves out, and without which the body is not known.

    A place may stand in the body in any form, as a hash of it. So what is asked for is what makes the body another.

    :param rendered: with the first stand-in for whatever is left out
    """
    first, second = _stand_ins(values, 0), _stand_ins(values, 1)
    return tuple(
        PLACE_OPTIONS[name]
        for name in values.unsaid_places
        if _is_another(document, values.living_in({**first, name: second[name]}), rendered)
    )


def _is_another(document: ImageTemplateDocument, values: CallValues, rendered: RenderedImageTemplate) -> bool:
    try:
        return rendered_to_submit(document, values).written != rendered.written
    except ImageTemplateError:
        return True


def _stand_ins(values: CallValues, which: int) -> dict[str, str]:
    return {name: _STAND_INS[name][which] for name in values.unsaid_places}


# Two for each, which have no beginning, no end and no length in common. None is ever printed.
_STAND_INS = {
    "subscription_id": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "resource_group_name": ("some-group", "another-resource-group0"),
    "location": ("some-region", "another-place0"),
}


def _key(name: str | None) -> str | None:
    return None if name is None else name.casefold()
