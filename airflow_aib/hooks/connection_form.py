"""The form in which people fill in a connection, as data that Airflow's provider info carries."""

from __future__ import annotations

from typing import Any

_OPTIONAL_TEXT: dict[str, Any] = {"type": ["string", "null"]}

UI_FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["schema", "port", "host"],
    "relabeling": {"login": "Client ID", "password": "Client secret"},
    "placeholders": {
        "login": "application (client) id of the service principal",
        "password": "its secret; empty for a managed or workload identity",
        "extra": "{}",
    },
}

# Named as the fields of the official `azure` connection where there is one for the purpose.
CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "tenantId": {
        "label": "Tenant ID",
        "description": "Directory of the service principal.",
        "schema": _OPTIONAL_TEXT,
    },
    "subscriptionId": {
        "label": "Subscription ID",
        "description": "Used for whatever is named without a subscription of its own.",
        "schema": _OPTIONAL_TEXT,
    },
    "auth_method": {
        "label": "Sign-in method",
        "description": "Empty lets the filled-in fields decide.",
        "schema": {
            "type": ["string", "null"],
            "enum": ["", "client_secret", "managed_identity", "workload_identity", "default"],
            "default": "",
        },
    },
    "managed_identity_client_id": {
        "label": "Managed identity client ID",
        "description": "Of a user-assigned identity; empty means the system-assigned one.",
        "schema": _OPTIONAL_TEXT,
    },
    "workload_identity_tenant_id": {
        "label": "Workload identity tenant ID",
        "description": "Directory of the workload identity; its client id goes into Client ID.",
        "schema": _OPTIONAL_TEXT,
    },
    "cloud_environment": {
        "label": "Cloud",
        "description": "custom needs the Resource Manager endpoint, the authority host and the storage suffix.",
        "schema": {
            "type": "string",
            "enum": ["AzurePublicCloud", "AzureUSGovernment", "AzureChinaCloud", "custom"],
            "default": "AzurePublicCloud",
        },
    },
    "resource_manager_endpoint": {
        "label": "Resource Manager endpoint",
        "description": "Custom cloud only; begins https://",
        "schema": _OPTIONAL_TEXT,
    },
    "authority_host": {
        "label": "Authority host",
        "description": "Custom cloud only: the sign-in service; begins https://",
        "schema": _OPTIONAL_TEXT,
    },
    "storage_suffix": {
        "label": "Storage suffix",
        "description": "Custom cloud only: what follows <account>.blob. in a storage address.",
        "schema": _OPTIONAL_TEXT,
    },
    "portal": {
        "label": "Portal",
        "description": "Custom cloud only: where links lead; begins https://. Empty means no links.",
        "schema": _OPTIONAL_TEXT,
    },
    "ca_bundle": {
        "label": "CA bundle",
        "description": "File of certificate authorities to trust instead of the system's. TLS cannot be switched off.",
        "schema": _OPTIONAL_TEXT,
    },
    "allow_account_keys": {
        "label": "Allow account keys",
        "description": "Use a storage account's key where a token is refused, and say so in the log.",
        "schema": {"type": "boolean", "default": True},
    },
}

CONNECTION_TYPE_INFO: dict[str, Any] = {
    "connection-type": "azure_image_builder",
    "hook-class-name": "airflow_aib.hooks.image_builder.AzureImageBuilderHook",
    "hook-name": "Azure VM Image Builder",
    "ui-field-behaviour": UI_FIELD_BEHAVIOUR,
    "conn-fields": CONNECTION_FIELDS,
}
