"""Diagnose what lies in Azure, with an Airflow connection: the one module of the command line that loads both."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.image_builder import AzureImageBuilderHook, ImageTemplateService
from airflow_aib.hooks.resource_id import image_template_id
from airflow_aib.hooks.run_async import run_async
from airflow_aib.hooks.run_diagnosis import diagnose_image_template, diagnose_log
from airflow_aib.image_run.log_location import log_locations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.image_run.diagnosis import Diagnosis

log = logging.getLogger(__name__)


def diagnose_through_connection(
    target: str, resource_group_name: str | None, properties: Mapping[str, Any] | None, *, connection_id: str
) -> Diagnosis:
    """Diagnose a log, or the last run of an image template.

    :param target: address or resource id of a log, resource id or name of an image template
    :param resource_group_name: of the image template that is named
    :param properties: of the image template that left the log, where they are known
    :param connection_id: of the Airflow connection
    """
    try:
        settings = _settings(connection_id)
        if target.startswith("https://") or log_locations(target):
            return run_async(_diagnose_log(settings, target, properties))
        if resource_group_name:
            target = image_template_id(settings.require_subscription_id(), resource_group_name, target)
        return run_async(_diagnose_image_template(settings, target))
    except ImageBuilderError as error:
        raise UnusableCallError(str(error)) from error


def _settings(connection_id: str) -> AzureSettings:
    """Find the connection where tasks find it: in a secrets backend, the environment, or the metadata database."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return AzureImageBuilderHook(connection_id).settings
    except AirflowNotFoundException:
        connection = _in_metadata_database(connection_id)
    if connection is None:
        raise UnusableCallError(
            f"There is no Airflow connection {connection_id!r} here. Name one with --connection, or put it into the "
            f"environment as AIRFLOW_CONN_{connection_id.upper()}."
        )
    return settings_from_connection(
        conn_type=connection.conn_type,
        login=connection.login,
        password=connection.password,
        extra=connection.extra_dejson,
        connection_id=connection_id,
    )


def _in_metadata_database(connection_id: str) -> Any:
    """Look into the database that this shell's Airflow is configured for; Airflow itself does so in a server only."""
    from airflow.secrets.metastore import MetastoreBackend
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return MetastoreBackend().get_connection(conn_id=connection_id)
    except SQLAlchemyError as error:
        log.debug("There is no metadata database here: %s", type(error).__name__)
        return None


async def _diagnose_log(settings: AzureSettings, target: str, properties: Mapping[str, Any] | None) -> Diagnosis:
    async with shared_clients(settings) as clients:
        return await diagnose_log(clients, target, properties)


async def _diagnose_image_template(settings: AzureSettings, target: str) -> Diagnosis:
    async with shared_clients(settings) as clients:
        return await diagnose_image_template(ImageTemplateService(clients), target, log)
