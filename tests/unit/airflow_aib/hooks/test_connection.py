from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.exceptions import ConnectionSettingsError
from airflow_aib.hooks.clouds import CHINA_CLOUD, PUBLIC_CLOUD, US_GOVERNMENT_CLOUD
from airflow_aib.hooks.connection import AuthMethod, AzureSettings, settings_from_connection

CUSTOM = {
    "cloud_environment": "custom",
    "resource_manager_endpoint": "https://127.0.0.1:9443/",
    "authority_host": "https://127.0.0.1:9443",
    "storage_suffix": "127.0.0.1:9444",
    "ca_bundle": "/certificates/ca.pem",
}
SECRET: dict[str, Any] = {
    "login": "client",
    "password": "hush",
    "extra": {"tenantId": "tenant", "subscriptionId": "subscription"},
}


def read(conn_type: str | None = "azure_image_builder", **fields: Any) -> AzureSettings:
    """Read a connection."""
    return settings_from_connection(conn_type=conn_type, **fields)


def read_extra(**extra: Any) -> AzureSettings:
    """Read a connection that has nothing but an extra."""
    return read(extra=extra)


@pytest.mark.parametrize("conn_type", ["azure_image_builder", "azure"])
def test_both_connection_types_give_the_same_settings(conn_type: str) -> None:
    """A plain `azure` connection of the official provider works as ours does."""
    settings = read(conn_type, **SECRET)

    assert settings == AzureSettings(
        cloud=PUBLIC_CLOUD,
        auth_method=AuthMethod.CLIENT_SECRET,
        subscription_id="subscription",
        tenant_id="tenant",
        client_id="client",
        client_secret="hush",
    )


@pytest.mark.parametrize("conn_type", ["wasb", None, ""])
def test_another_connection_type_is_refused(conn_type: str | None) -> None:
    """A connection for something else is an error that names the types that are allowed."""
    with pytest.raises(ConnectionSettingsError, match="azure_image_builder"):
        read(conn_type, **SECRET)


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        (SECRET, AuthMethod.CLIENT_SECRET),
        ({}, AuthMethod.DEFAULT),
        ({"extra": {"managed_identity_client_id": "m"}}, AuthMethod.MANAGED_IDENTITY),
        ({"extra": {"workload_identity_tenant_id": "w"}}, AuthMethod.WORKLOAD_IDENTITY),
        ({"login": "c", "extra": {"workload_identity_tenant_id": "w"}}, AuthMethod.WORKLOAD_IDENTITY),
        (
            {"extra": {"managed_identity_client_id": "m", "workload_identity_tenant_id": "w"}},
            AuthMethod.DEFAULT,
        ),
        ({"extra": {"auth_method": "managed_identity"}}, AuthMethod.MANAGED_IDENTITY),
        ({**SECRET, "extra": {"auth_method": "Default"}}, AuthMethod.DEFAULT),
        ({**SECRET, "extra": {**SECRET["extra"], "auth_method": ""}}, AuthMethod.CLIENT_SECRET),
    ],
)
def test_the_sign_in_method_is_named_or_follows_from_the_fields(fields: dict[str, Any], method: AuthMethod) -> None:
    """An explicit `auth_method` decides; else the fields that are filled in do."""
    assert read(**fields).auth_method is method


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"login": "c", "password": "p"}, "tenantId"),
        ({"login": "c", "extra": {"tenantId": "t"}}, "password"),
        ({"password": "p", "extra": {"tenantId": "t"}}, "login"),
        ({"extra": {"auth_method": "client_secret"}}, "login .* password .* tenantId"),
    ],
)
def test_half_a_client_secret_is_refused(fields: dict[str, Any], missing: str) -> None:
    """What lacks of the three parts of a client secret is named, and no other method is tried instead."""
    with pytest.raises(ConnectionSettingsError, match=missing):
        read(**fields)


def test_an_unknown_sign_in_method_is_refused() -> None:
    """A misspelt `auth_method` is an error that lists the known ones."""
    with pytest.raises(ConnectionSettingsError, match="client_secret, managed_identity, workload_identity, default"):
        read_extra(auth_method="password")


@pytest.mark.parametrize("name", ["key_path", "key_json"])
def test_sign_in_files_are_refused(name: str) -> None:
    """The official provider's files for signing in are refused with the way to go on."""
    with pytest.raises(ConnectionSettingsError, match=f"{name}.*tenantId"):
        read("azure", extra={name: "x.json"})


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        (None, PUBLIC_CLOUD),
        ("", PUBLIC_CLOUD),
        ("AzurePublicCloud", PUBLIC_CLOUD),
        ("azurecloud", PUBLIC_CLOUD),
        ("AzureUSGovernment", US_GOVERNMENT_CLOUD),
        ("USGov", US_GOVERNMENT_CLOUD),
        ("AzureChinaCloud", CHINA_CLOUD),
        ("china", CHINA_CLOUD),
    ],
)
def test_clouds_are_known_by_their_names_in_any_case(name: str | None, cloud: object) -> None:
    """Official and short names lead to the right cloud; none at all is the public one."""
    assert read_extra(cloud_environment=name).cloud == cloud


def test_an_unknown_cloud_is_refused() -> None:
    """A cloud that nobody knows is an error, and never the public one."""
    with pytest.raises(ConnectionSettingsError, match=r"'AzureGermanCloud'.*AzureChinaCloud"):
        read_extra(cloud_environment="AzureGermanCloud")


def test_a_custom_cloud_is_read() -> None:
    """A custom cloud has its own addresses, its certificates, and no portal unless one is given."""
    cloud = read_extra(**CUSTOM).cloud

    assert cloud.name == "custom"
    assert cloud.resource_manager_endpoint == "https://127.0.0.1:9443"
    assert cloud.management_scope == "https://127.0.0.1:9443/.default"
    assert cloud.ca_bundle == "/certificates/ca.pem"
    assert cloud.portal is None
    assert read_extra(**CUSTOM, portal="https://portal.example").cloud.portal == "https://portal.example"


@pytest.mark.parametrize("name", ["resource_manager_endpoint", "authority_host", "storage_suffix"])
def test_a_custom_cloud_needs_its_addresses(name: str) -> None:
    """A custom cloud without one of its addresses is refused."""
    with pytest.raises(ConnectionSettingsError, match=name):
        read_extra(**{**CUSTOM, name: ""})


@pytest.mark.parametrize("name", ["resource_manager_endpoint", "authority_host", "storage_suffix", "portal"])
def test_the_addresses_of_a_custom_cloud_are_refused_elsewhere(name: str) -> None:
    """An address that would be ignored is an error instead."""
    with pytest.raises(ConnectionSettingsError, match="custom"):
        read_extra(**{name: {**CUSTOM, "portal": "https://portal.example"}[name]})


@pytest.mark.parametrize("name", ["resource_manager_endpoint", "authority_host", "portal"])
@pytest.mark.parametrize("address", ["http://host", "host:443", "https://", "https://a:b@host", "https://host?x=1"])
def test_addresses_are_https(name: str, address: str) -> None:
    """Whatever is not a plain https address is refused."""
    with pytest.raises(ConnectionSettingsError, match=name):
        read_extra(**{**CUSTOM, name: address})


def test_a_storage_suffix_is_a_host() -> None:
    """A storage suffix that is an address is refused."""
    with pytest.raises(ConnectionSettingsError, match="storage_suffix"):
        read_extra(**{**CUSTOM, "storage_suffix": "https://core.windows.net"})


def test_a_known_cloud_may_have_other_certificates() -> None:
    """A CA bundle counts in every cloud, since proxies stand in front of all of them."""
    assert read_extra(ca_bundle="/ca.pem").cloud.ca_bundle == "/ca.pem"


@pytest.mark.parametrize(
    ("value", "flag"), [(None, True), ("", True), (True, True), (False, False), ("false", False), ("True", True)]
)
def test_flags_are_read_from_forms_and_from_json(value: object, flag: bool) -> None:
    """Account keys are allowed unless the connection says no, in any spelling."""
    assert read_extra(allow_account_keys=value).allow_account_keys is flag


@pytest.mark.parametrize("extra", [{"allow_account_keys": "perhaps"}, {"tenantId": 5}])
def test_fields_of_the_wrong_kind_are_refused(extra: dict[str, Any]) -> None:
    """A field that makes no sense is an error that names it."""
    with pytest.raises(ConnectionSettingsError, match=next(iter(extra))):
        read_extra(**extra)


def test_secrets_are_never_shown() -> None:
    """The text of settings does not hold the secret."""
    assert "hush" not in repr(read(**SECRET))


def test_settings_can_be_shared_by_equality() -> None:
    """Equal connections give equal settings with equal hashes: that is what clients are shared by."""
    assert hash(read(**SECRET)) == hash(read("azure", **SECRET))
    assert len({read(**SECRET), read("azure", **SECRET), read()}) == 2


def test_a_missing_subscription_is_explained() -> None:
    """Without a subscription, what needs one says where to put it."""
    with pytest.raises(ConnectionSettingsError, match="subscriptionId"):
        read().require_subscription_id()


@pytest.mark.parametrize(
    "fields", [{"conn_type": "http"}, {"login": "client"}, {"extra": {"cloud_environment": "moon"}}]
)
def test_what_is_wrong_names_the_connection(fields: dict[str, Any]) -> None:
    """A deployment has many connections: the message says which one it is about."""
    with pytest.raises(ConnectionSettingsError, match=r"\(connection 'my_azure'\)\. "):
        read(**fields, connection_id="my_azure")


def test_a_missing_subscription_names_the_connection() -> None:
    """What is missed later names it as well, and connections of equal content still share their clients."""
    settings = read(connection_id="my_azure")

    with pytest.raises(ConnectionSettingsError, match=r"names no subscription \(connection 'my_azure'\)"):
        settings.require_subscription_id()
    assert settings == read(connection_id="other")
    assert hash(settings) == hash(read(connection_id="other"))
