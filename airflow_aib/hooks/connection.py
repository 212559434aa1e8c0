"""An Airflow connection read into frozen settings; the form in which people fill it in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_aib.exceptions import ConnectionSettingsError
from airflow_aib.hooks.clouds import CLOUDS, CUSTOM_CLOUD, PUBLIC_CLOUD, CloudSettings
from airflow_aib.masking import Masker, mask

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTION_TYPE = "azure_image_builder"
OFFICIAL_CONNECTION_TYPE = "azure"
CONNECTION_TYPES = (CONNECTION_TYPE, OFFICIAL_CONNECTION_TYPE)

_CUSTOM_CLOUD_FIELDS = ("resource_manager_endpoint", "authority_host", "storage_suffix")
_DOCS = "See docs/reference/connection.md."


class AuthMethod(StrEnum):
    """List the ways to sign in."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a method
    MANAGED_IDENTITY = "managed_identity"
    WORKLOAD_IDENTITY = "workload_identity"
    DEFAULT = "default"


@dataclass(frozen=True)
class AzureSettings:
    """Hold everything that is needed to reach Azure; equal settings share their clients.

    :param cloud: where
    :param auth_method: how to sign in
    :param subscription_id: the subscription for what is named without one
    :param tenant_id: directory of the service principal
    :param client_id: of the service principal, or of the workload identity
    :param client_secret: of the service principal; never shown
    :param managed_identity_client_id: of a user-assigned identity; None means the system-assigned one
    :param workload_identity_tenant_id: directory of the workload identity
    :param allow_account_keys: whether a storage account's key may be used where a token is refused
    :param connection_id: of the Airflow connection, for messages
    """

    cloud: CloudSettings
    auth_method: AuthMethod
    subscription_id: str | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    managed_identity_client_id: str | None = None
    workload_identity_tenant_id: str | None = None
    allow_account_keys: bool = True
    connection_id: str | None = field(default=None, compare=False)

    @property
    def masker(self) -> Masker:
        """What takes this connection's secret, and signatures, out of text that people see."""
        return Masker([self.client_secret] if self.client_secret else [])

    def require_subscription_id(self) -> str:
        """Give the connection's subscription; without one, say where to put it."""
        if self.subscription_id:
            return self.subscription_id
        raise ConnectionSettingsError(
            f"The Airflow connection names no subscription{which(self.connection_id)}",
            hint="Fill in the field `subscriptionId`, or name resources by their full resource id.",
        )


def settings_from_connection(
    *,
    conn_type: str | None,
    login: str | None = None,
    password: str | None = None,
    extra: Mapping[str, Any] | None = None,
    connection_id: str | None = None,
) -> AzureSettings:
    """Read the parts of an Airflow connection into settings.

    :param conn_type: `azure_image_builder`, or `azure` of the official provider
    :param login: client id
    :param password: client secret
    :param extra: the connection's extra, already parsed
    :param connection_id: for messages
    """
    try:
        _check_type(conn_type)
        settings = _read(_Fields(extra or {}), login or None, password or None)
    except ConnectionSettingsError as error:
        error.message += which(connection_id)
        raise
    return replace(settings, connection_id=connection_id)


def which(connection_id: str | None) -> str:
    """Write which connection a message is about."""
    return f" (connection {connection_id!r})" if connection_id else ""


def _check_type(conn_type: str | None) -> None:
    if conn_type not in CONNECTION_TYPES:
        raise ConnectionSettingsError(
            f"The Airflow connection has type {conn_type!r}; allowed are {', '.join(map(repr, CONNECTION_TYPES))}",
            hint=_DOCS,
        )


def _read(fields: _Fields, login: str | None, password: str | None) -> AzureSettings:
    fields.refuse_key_files()
    return _check_authentication(
        AzureSettings(
            cloud=_read_cloud(fields),
            auth_method=_read_auth_method(fields, login, password),
            subscription_id=fields.text("subscriptionId"),
            tenant_id=fields.text("tenantId"),
            client_id=login,
            client_secret=password,
            managed_identity_client_id=fields.text("managed_identity_client_id"),
            workload_identity_tenant_id=fields.text("workload_identity_tenant_id"),
            allow_account_keys=fields.flag("allow_account_keys", default=True),
        )
    )


class _Fields:
    """Read the connection's extra field by field; an empty field is an absent one."""

    def __init__(self, extra: Mapping[str, Any]) -> None:
        self._extra = extra

    def text(self, name: str) -> str | None:
        value = self._extra.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise ConnectionSettingsError(
                f"Field {name!r} of the Airflow connection is {type(value).__name__}; it must be text", hint=_DOCS
            )
        return value.strip() or None

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._extra.get(name)
        if value is None or value == "":
            return default
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        flag = known.get(str(value).strip().lower())
        if flag is None:
            raise ConnectionSettingsError(
                f"Field {name!r} of the Airflow connection is {value!r}; it must be true or false", hint=_DOCS
            )
        return flag

    def address(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ConnectionSettingsError(
                f"Field {name!r} of the Airflow connection is {mask(value)!r}; it must be an address that begins "
                "https://",
                hint="Azure is only reached over https; for an authority of your own give its file as `ca_bundle`.",
            )
        return value.rstrip("/")

    def refuse_key_files(self) -> None:
        for name in ("key_path", "key_json"):
            if self._extra.get(name):
                raise ConnectionSettingsError(
                    f"The Airflow connection uses {name!r}: sign-in files are not supported, "
                    "since Azure's asynchronous clients cannot use them",
                    hint="Put the client id into the login, the secret into the password and the tenant into "
                    "`tenantId`.",
                )


def _read_cloud(fields: _Fields) -> CloudSettings:
    name = fields.text("cloud_environment")
    ca_bundle = fields.text("ca_bundle")
    if name is not None and name.lower() == CUSTOM_CLOUD:
        return _read_custom_cloud(fields, ca_bundle)
    cloud = CLOUDS.get(name.lower()) if name is not None else PUBLIC_CLOUD
    if cloud is None:
        raise ConnectionSettingsError(
            f"Cloud {name!r} in the Airflow connection is unknown",
            hint="Known are AzurePublicCloud, AzureUSGovernment, AzureChinaCloud and custom. " + _DOCS,
        )
    custom_only = [part for part in (*_CUSTOM_CLOUD_FIELDS, "portal") if fields.text(part)]
    if custom_only:
        raise ConnectionSettingsError(
            f"The Airflow connection gives {', '.join(map(repr, custom_only))}, but its cloud is {cloud.name}",
            hint="Set `cloud_environment` to `custom`, or leave these fields empty.",
        )
    return replace(cloud, ca_bundle=ca_bundle)


def _read_custom_cloud(fields: _Fields, ca_bundle: str | None) -> CloudSettings:
    resource_manager_endpoint = fields.address("resource_manager_endpoint")
    authority_host = fields.address("authority_host")
    storage_suffix = fields.text("storage_suffix")
    if not (resource_manager_endpoint and authority_host and storage_suffix):
        raise ConnectionSettingsError(
            f"A custom cloud in the Airflow connection needs {', '.join(_CUSTOM_CLOUD_FIELDS)}",
            hint=_DOCS,
        )
    if "/" in storage_suffix:
        raise ConnectionSettingsError(
            f"Field 'storage_suffix' of the Airflow connection is {storage_suffix!r}; it is a host name without https://",
            hint="For example core.windows.net, or 127.0.0.1:10000 for a local one.",
        )
    return CloudSettings(
        name=CUSTOM_CLOUD,
        resource_manager_endpoint=resource_manager_endpoint,
        authority_host=authority_host,
        storage_suffix=storage_suffix,
        portal=fields.address("portal"),
        ca_bundle=ca_bundle,
    )


def _read_auth_method(fields: _Fields, login: str | None, password: str | None) -> AuthMethod:
    name = fields.text("auth_method")
    if name is None:
        return _infer_auth_method(fields, login, password)
    try:
        return AuthMethod(name.lower())
    except ValueError:
        raise ConnectionSettingsError(
            f"Sign-in method {name!r} in the Airflow connection is unknown",
            hint=f"Known are {', '.join(AuthMethod)}, or nothing to let the filled-in fields decide.",
        ) from None


def _infer_auth_method(fields: _Fields, login: str | None, password: str | None) -> AuthMethod:
    managed = fields.text("managed_identity_client_id")
    workload = fields.text("workload_identity_tenant_id")
    if password:
        return AuthMethod.CLIENT_SECRET
    if managed and workload:
        # The official provider means its default chain with both hints by this; so do we.
        return AuthMethod.DEFAULT
    if managed:
        return AuthMethod.MANAGED_IDENTITY
    if workload:
        return AuthMethod.WORKLOAD_IDENTITY
    return AuthMethod.CLIENT_SECRET if login else AuthMethod.DEFAULT


def _check_authentication(settings: AzureSettings) -> AzureSettings:
    if settings.auth_method is not AuthMethod.CLIENT_SECRET:
        return settings
    parts = {
        "login (the client id)": settings.client_id,
        "password (the client secret)": settings.client_secret,
        "tenantId": settings.tenant_id,
    }
    missing = [name for name, value in parts.items() if not value]
    if missing:
        raise ConnectionSettingsError(
            f"The Airflow connection signs in with a client secret, but lacks {' and '.join(missing)}",
            hint="Fill in all three, or choose another `auth_method`. " + _DOCS,
        )
    return settings
