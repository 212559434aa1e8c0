from __future__ import annotations

import json
import ssl
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.server import EmulatorThread

EXAMPLES = 80
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"])
MEMBERS = st.sampled_from(
    [
        *("location", "properties", "identity", "tags", "type", "source", "customize", "distribute", "validate"),
        *("userAssignedIdentities", "inline", "name", "sku", "kind", "keyName", "role", "account", "count", "body"),
        *("publishingProfile", "targetRegions", "storageProfile", "roleDefinitionId", "principalId", "permissions"),
        *("osType", "identifier", "filter", "path", "scale", "seconds", "vmProfile", "optimize", "errorHandling"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=30),
    st.sampled_from(
        [b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe{\x00}\x00", b'"\\ud800"', b"1e999999", b'{"a":1}\x00']
    ),
)
RESOURCES = st.sampled_from(
    [
        *("imageTemplates/x", "imageTemplates/x/run", "imageTemplates/x/cancel", "imageTemplates/x/triggers/t"),
        *("imageTemplates", "imageTemplates/x/runOutputs/o", "imageTemplates/%00", "imageTemplates/%ff"),
    ]
).map("Microsoft.VirtualMachineImages/{}".format) | st.sampled_from(
    [
        *("Microsoft.Compute/galleries/corp", "Microsoft.Compute/galleries/corp/images/linux-base"),
        *("Microsoft.Compute/galleries/corp/images/linux-base/versions/1.0.0", "Microsoft.Compute/images/i"),
        *("Microsoft.Storage/storageAccounts/imagestore", "Microsoft.Storage/storageAccounts/imagestore/listKeys"),
        "Microsoft.Storage/storageAccounts/imagestore/regenerateKey",
        "Microsoft.Storage/storageAccounts/imagestore/blobServices/default/containers/images",
        "Microsoft.ManagedIdentity/userAssignedIdentities/u",
        *("Microsoft.Resources/deployments/x", "Microsoft.Resources/deployments/x/whatIf"),
        *("Microsoft.Authorization/roleAssignments/x", "Microsoft.Authorization/roleDefinitions"),
        "Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-4000-8000-00000000000f",
        "Microsoft.Authorization/roleDefinitions/aaaaaaaa-0000-4000-8000-00000000000f",
    ]
)
ENTRA_PATHS = st.sampled_from(
    ["/t/oauth2/v2.0/token", "/t/oauth2/token", "/t/discovery/v2.0/keys", "/v1.0/servicePrincipals"]
)
CONTROL_CALLS = st.sampled_from(
    [
        *("faults", "failures", "clock", "clock/advance", "applications", "data-roles", "platform-versions", "x"),
        *("requests", "openapi.json", "connections", "throttling", "tokens", "tokens/refusals", "copy-pace"),
        *("blob-limits", "faults/x", "failures/x", "platform-versions/withdraw"),
    ]
).map("/_emulator/{}".format)
QUERIES = st.one_of(
    st.just("api-version=2025-10-01"),
    st.sampled_from(
        [
            *("api-version=2018-02-01&$skiptoken=%ff", "api-version=2025-10-01&$skiptoken=99999999999999999999"),
            *("api-version=2025-10-01&$filter=%27%27%27", "api-version=2025-10-01&$top=x&$expand=%00&$orderby=("),
            *("api-version=2025-10-01&$skiptoken=%C2%B2", "api-version=2025-10-01&monitor=true&x=%F0%9F"),
            *("", "&&&==%", "api-version=%00", "api-version=9999-99-99", "api-version=2025-10-01&api-version=x"),
        ]
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "Content-Type", "Content-Encoding", "If-Match", "x-ms-correlation-request-id", "Range"]),
    st.sampled_from(["", "*/*", "gzip", "text/plain; charset=nothing", "multipart/form-data", "\xe9\xff", "x" * 3000]),
    max_size=3,
)


@pytest.fixture(scope="module")
def raw(emulator_thread: EmulatorThread) -> Iterator[RawArm]:
    """Sign in once, with a clock that stands still; put everything back in the end."""
    emulator_thread.control.reset()
    emulator_thread.control.set_scale(0)
    yield RawArm(emulator_thread)
    emulator_thread.control.reset()


def status_of(raw: RawArm, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """Send a request that no client would word so, and return the status."""
    context = ssl.create_default_context(cafile=str(raw.thread.emulator.ca_file))
    port = int(raw.url.rpartition(":")[2])
    connection = HTTPSConnection("localhost", port, context=context, timeout=30)
    try:
        authorization = {"Authorization": str(raw.session.headers["Authorization"])}
        connection.request(method, path, body, {**authorization, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(method=METHODS, resource=RESOURCES, query=QUERIES, body=BODIES, headers=HEADERS)
def test_no_request_about_a_resource_is_too_much(
    raw: RawArm, method: str, resource: str, query: str, body: bytes, headers: dict[str, str]
) -> None:
    """Whatever is asked of Resource Manager gets an answer that is not the emulator's own failure."""
    path = f"/subscriptions/{raw.settings.subscription_id}/resourceGroups/images/providers/{resource}?{query}"
    assert status_of(raw, method, path, body, headers) < 500


@hypothesis.settings(max_examples=EXAMPLES // 2, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(method=METHODS, path=ENTRA_PATHS, query=QUERIES, body=BODIES, headers=HEADERS)
@hypothesis.example("POST", "/t/oauth2/token", "", b"no gzip", {"Content-Encoding": "gzip"})
def test_no_sign_in_is_too_much(
    raw: RawArm, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
) -> None:
    """Whatever is asked of Entra and its directory gets an answer that is not the emulator's own failure."""
    assert status_of(raw, method, f"{path}?{query}", body, headers) < 500


@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(method=METHODS, path=CONTROL_CALLS, body=JSON)
def test_no_request_at_the_control_door_is_too_much(raw: RawArm, method: str, path: str, body: Any) -> None:
    """Plans that make no sense are refused, and never strike later as a failure of the emulator."""
    try:
        assert status_of(raw, method, path, json.dumps(body).encode(), {}) < 500
    finally:
        raw.thread.control.clear_plans()


@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    method=METHODS,
    path=st.text(st.sampled_from("/%af0.{}[]()*?#&=;:@\\~"), max_size=40),
    body=st.binary(max_size=20),
)
def test_no_path_is_too_much(raw: RawArm, method: str, path: str, body: bytes) -> None:
    """Any path at all gets an answer."""
    assert status_of(raw, method, f"/{path.replace('#', '')}", body, {}) < 500
