"""A fleet of images: one rebuild DAG for each document in a folder."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, get_parsing_context

from airflow_aib import __version__
from airflow_aib.assets.image import image_asset
from airflow_aib.exceptions import ImageTemplateError, ImageTemplateReadError
from airflow_aib.image_template.outline import Outline
from airflow_aib.task_groups.alike import AlikeDags
from airflow_aib.task_groups.outline_cache import OutlineCache, key_of
from airflow_aib.task_groups.rebuild import image_rebuild

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow.sdk import Asset

__all__ = ["image_rebuild_dags"]

log = logging.getLogger(__name__)

DOCUMENT_ENDINGS = frozenset({".json", ".jsonc", ".yaml", ".yml"})
PARAMETERS_ENDING = ".parameters"
TROUBLE_TAG = "document-error"
_NOT_IN_DAG_ID = re.compile(r"[^\w.-]+", re.ASCII)


def image_rebuild_dags(
    folder: str | Path,
    *,
    resource_group_name: str,
    log_destination: str,
    vhd_destination: str | None = None,
    schedule: Any = None,
    parameters: Mapping[str, Any] | None = None,
    emit_assets: bool = True,
    dag_id_prefix: str = "rebuild_",
    tags: Iterable[str] = ("images",),
    dag_args: Mapping[str, Any] | None = None,
    cache_folder: str | Path | None = None,
    **rebuild_args: Any,
) -> list[DAG]:
    """Make a DAG with the task group `image_rebuild` for each document in a folder; Airflow finds them by itself.

    `linux.json` becomes DAG `rebuild_linux`, with the parameters in `linux.parameters.json` where there is such a file.
    VHDs are copied where the document makes any. The image of its first distributor into a gallery is emitted as an
    asset. A document that cannot be read keeps no other image from being rebuilt: its DAG bears the tag
    `document-error` and says on its page what is wrong, and its task `create` fails with the same words. What
    documents hold is remembered by their content, so that parsing the DAG file stays cheap; a worker makes only the
    DAG that it runs.

    :param folder: where the documents are, as `Path(__file__).parent / "images"`; folders in it are left alone
    :param resource_group_name: where the image templates live, in the connection's subscription
    :param log_destination: where logs are archived
    :param vhd_destination: where VHDs are copied; needed when any document makes one, unless `create_args` say that
        they are left to others
    :param schedule: of each DAG; or a function that is given the document's name without ending, and gives it
    :param parameters: for all documents that have no parameters file of their own
    :param emit_assets: whether images are emitted as assets
    :param dag_id_prefix: what the DAGs' ids begin with
    :param tags: of the DAGs
    :param dag_args: more arguments for each DAG
    :param cache_folder: where it is remembered what documents hold; by default `~/.cache/airflow-aib`
    :param rebuild_args: more arguments for `image_rebuild`, as `deferrable` or `run_args`
    """
    wanted = get_parsing_context().dag_id
    reader = _Reader(Path(folder), parameters or {}, resource_group_name, dag_id_prefix, _cache(cache_folder, folder))
    images = list(reader.read(wanted))
    if not _leaves_vhds_to_others(rebuild_args.get("create_args") or {}):
        _require_destination(images, vhd_destination)
    schedules = [schedule(image.document.stem) if callable(schedule) else schedule for image in images]
    alike = AlikeDags(schedules)
    dags = []
    for image, when in zip(images, schedules, strict=True):
        settings: dict[str, Any] = {
            "catchup": False,
            "max_active_runs": 1,
            "tags": [*tags, *([TROUBLE_TAG] if image.outline.trouble else [])],
            "doc_md": image.description,
        }
        with DAG(image.dag_id, schedule=when, **{**alike.configured, **settings, **(dag_args or {})}) as dag:
            alike.join(dag)
            image_rebuild(
                image_template=image.document,
                resource_group_name=resource_group_name,
                log_destination=log_destination,
                vhd_destination=vhd_destination if image.outline.leaves_vhd else None,
                parameters=image.parameters,
                asset=image.asset if emit_assets else None,
                **image.rebuild_arguments(rebuild_args),
            )
        dags.append(dag)
    return dags


@dataclass(frozen=True)
class _FleetImage:
    """Hold one image template of the fleet.

    :param dag_id: of the DAG that rebuilds it
    :param document: its file
    :param is_one_of_many: whether the file holds other image templates too
    :param parameters: of its own, or the file that holds them
    :param outline: what the document says of it
    """

    dag_id: str
    document: Path
    is_one_of_many: bool
    parameters: Mapping[str, Any] | Path
    outline: Outline

    @property
    def description(self) -> str:
        """What the DAG's page says."""
        text = f"Rebuilds the image of `{self.document.name}`."
        return (
            f"{text}\n\n**The document is wrong:**\n\n```text\n{self.outline.trouble}\n```"
            if self.outline.trouble
            else text
        )

    @property
    def asset(self) -> Asset | None:
        """The image in its gallery."""
        if self.outline.gallery is None or self.outline.image_definition is None:
            return None
        return image_asset(self.outline.gallery, self.outline.image_definition)

    def rebuild_arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give those of the task group: which image template of the file is meant, and nothing about copies of none."""
        arguments = dict(given)
        if not self.outline.leaves_vhd:
            arguments.pop("copy_args", None)
        if self.is_one_of_many:
            arguments["create_args"] = {"document_name": self.outline.name, **(given.get("create_args") or {})}
        return arguments


@dataclass(frozen=True)
class _Reader:
    """Read the fleet's documents, or what is remembered of them."""

    folder: Path
    parameters: Mapping[str, Any]
    resource_group_name: str
    dag_id_prefix: str
    cache: OutlineCache

    def read(self, wanted: str | None) -> Iterator[_FleetImage]:
        """Give the images of the fleet, in the order of their files.

        :param wanted: id of the only DAG that is needed; None means all of them
        """
        files = self._files()
        names = {path.name for path in files}
        for document in self._documents(files):
            dag_id = self.dag_id_prefix + _NOT_IN_DAG_ID.sub("_", document.stem)
            if wanted is None or wanted == dag_id or wanted.startswith(f"{dag_id}_"):
                images = self._images(document, dag_id, names)
                yield from (image for image in images if wanted in {None, image.dag_id})
        if wanted is None:
            self.cache.save()

    @cached_property
    def _common_values(self) -> str:
        return json.dumps(self.parameters, default=str)

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix.lower() in DOCUMENT_ENDINGS)
        except OSError as error:
            raise ImageTemplateReadError(
                f"Folder {str(self.folder)!r} of a fleet cannot be read: {error.strerror}",
                hint='Name it relative to the DAG file: Path(__file__).parent / "images".',
                source=str(self.folder),
            ) from error

    def _documents(self, files: list[Path]) -> list[Path]:
        documents = [
            path for path in files if not path.stem.endswith(PARAMETERS_ENDING) and not path.name.startswith(".")
        ]
        if not documents:
            raise ImageTemplateReadError(
                f"Folder {str(self.folder)!r} of a fleet holds no document",
                hint=f"A document is a file that ends in {', '.join(sorted(DOCUMENT_ENDINGS))}.",
                source=str(self.folder),
            )
        _require_different(documents)
        return documents

    def _images(self, document: Path, dag_id: str, names: set[str]) -> Iterator[_FleetImage]:
        own = f"{document.stem}{PARAMETERS_ENDING}.json"
        # Also a link that leads nowhere, which is a mistake and not the absence of parameters.
        parameters = document.with_name(own) if own in names else self.parameters
        found = self._outlines(document, parameters)
        for outline in found:
            of_many = len(found) > 1
            suffix = f"_{_NOT_IN_DAG_ID.sub('_', outline.name or 'unnamed')}" if of_many else ""
            yield _FleetImage(dag_id + suffix, document, of_many, parameters, outline)

    def _outlines(self, document: Path, parameters: Mapping[str, Any] | Path) -> list[Outline]:
        try:
            values = parameters.read_bytes() if isinstance(parameters, Path) else self._common_values
            content = document.read_bytes()
        except OSError:
            # What is wrong with the file is said by whoever reads it for a build; it may be mended meanwhile.
            kept = self._made(document, parameters)
        else:
            key = key_of(__version__, self.resource_group_name, str(document), content, values)
            kept = self.cache.get(key, lambda: self._made(document, parameters))
        return [Outline.from_json(value) for value in kept]

    def _made(self, document: Path, parameters: Mapping[str, Any] | Path) -> list[dict[str, Any]]:
        # Here, since it is rarely needed and loads all that knows image templates.
        from airflow_aib.image_template.outlining import outlines

        made = outlines(document, parameters, self.resource_group_name)
        for outline in made:
            if outline.trouble:
                log.warning("Document %s of the fleet is wrong: %s", document, outline.trouble)
        return [outline.to_json() for outline in made]


def _require_different(documents: list[Path]) -> None:
    """Refuse two files that would become the same DAG."""
    names = Counter(_NOT_IN_DAG_ID.sub("_", document.stem) for document in documents)
    same = [document.name for document in documents if names[_NOT_IN_DAG_ID.sub("_", document.stem)] > 1]
    if same:
        raise ImageTemplateReadError(
            f"Documents of a fleet would become the same DAG: {', '.join(same)}",
            hint="Rename all but one.",
            source=str(documents[0].parent),
        )


def _leaves_vhds_to_others(create_args: Mapping[str, Any]) -> bool:
    """Whether VHDs may stay where they are: somebody else copies them, or nobody needs them."""
    return bool(create_args.get("may_leave_vhds") or create_args.get("discard_vhds"))


def _require_destination(images: list[_FleetImage], vhd_destination: str | None) -> None:
    """Refuse VHDs that nobody would copy."""
    leaving = [image.document.name for image in images if image.outline.leaves_vhd]
    if leaving and vhd_destination is None:
        raise ImageTemplateError(
            f"Documents of a fleet make VHDs, and nobody would copy them: {', '.join(leaving)}",
            hint="Give `vhd_destination` as account/container[/folder]; or `create_args` with `may_leave_vhds` where a "
            "task of your own copies them, with `discard_vhds` where nobody needs them.",
        )


def _cache(cache_folder: str | Path | None, folder: str | Path) -> OutlineCache:
    try:
        where = Path(cache_folder) if cache_folder else Path.home() / ".cache" / "airflow-aib"
    except RuntimeError as error:
        # A user id that no file knows, as in a container, has no home.
        log.debug("Outlines of documents are not kept: %s", error)
        return OutlineCache(None)
    cache = OutlineCache(where / f"fleet-{key_of(str(folder))[:16]}.json")
    cache.load()
    return cache
