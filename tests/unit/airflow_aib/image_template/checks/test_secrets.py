from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.checks.findings import findings, rules
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body

SIGNATURE = "Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx5"
SIGNED = f"https://a.blob.core.windows.net/c/b.sh?sv=1&sig={SIGNATURE}%3D"
KEY = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "-----END PRIVATE KEY-----"]


def shell(*lines: str) -> dict[str, Any]:
    """Build a Shell customizer."""
    return {"type": "Shell", "inline": [*lines]}


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"customize": [{"type": "Shell", "scriptUri": SIGNED}]}, "/properties/customize/0/scriptUri"),
        ({"customize": [shell("true", f"curl {SIGNED}")]}, "/properties/customize/0/inline/1"),
        ({"validate": {"inVMValidations": [shell(SIGNED)]}}, "/properties/validate/inVMValidations/0/inline/0"),
        ({"managedResourceTags": {"from": SIGNED}}, "/properties/managedResourceTags/from"),
        (
            {"customize": [{"type": "WindowsRestart", "restartCommand": SIGNED}]},
            "/properties/customize/0/restartCommand",
        ),
        ({"customize": [shell(*KEY)]}, "/properties/customize/0/inline/1"),
    ],
)
def test_secrets_by_kind_and_place(properties: dict[str, Any], path: str) -> None:
    """A secret is an error with its kind and place, and is nowhere shown."""
    (finding,) = [one for one in findings(**properties) if one.rule == "secret-in-text"]

    assert (finding.severity, finding.path) == ("error", path)
    assert SIGNATURE not in str(finding)
    assert KEY[1] not in str(finding)


def test_secrets_in_tags() -> None:
    """The image template's own tags are looked at too."""
    (finding,) = findings(body() | {"tags": {"token": f"ghp_{'a1B2' * 9}"}})

    assert (finding.rule, finding.path) == ("secret-in-text", "/tags/token")


def test_one_remark_for_each_kind_and_place() -> None:
    """Two signatures in one line are one finding; what is sure is not said to be likely as well."""
    assert rules(customize=[shell(f"curl {SIGNED} {SIGNED}")]) == ["error secret-in-text"]


def secured(parameter: str, **step: Any) -> list[str]:
    """Check a step of a deployment file with one secure parameter."""
    resource = {"type": "Microsoft.VirtualMachineImages/imageTemplates", **body(customize=[step])}
    document = read_document({"parameters": {"s": {"type": "securestring"}}, "resources": [resource]})
    found = check(render(document, {"s": parameter}, CONTEXT))
    assert all(parameter not in str(finding) for finding in found)
    return [f"{finding.severity} {finding.rule}" for finding in found]


def test_secure_parameters() -> None:
    """A secure parameter in a script or address is shown there: doubtful, and no error, since the file is clean."""
    assert secured(SIGNED, type="Shell", scriptUri="[parameters('s')]") == ["warning secret-parameter"]
    assert secured("hunter22", type="Shell", inline=["[concat('mysql --password=', parameters('s'))]"]) == [
        "warning secret-parameter"
    ]


def test_a_secret_beside_a_secure_parameter() -> None:
    """What stands in the file itself is an error all the same."""
    line = f"[concat('curl {SIGNED} -u me:', parameters('s'))]"

    assert secured("hunter22", type="Shell", inline=[line]) == ["error secret-in-text", "warning secret-parameter"]


@pytest.mark.parametrize("secret", ["pa'ss\"w\\rd", "two\nlines of it", "hunter22"])
def test_no_finding_quotes_a_secret(secret: str) -> None:
    """A secure parameter is masked in the form in which a message quotes it, too."""
    wrong = body(distribute=[{"type": "VHD", "runOutputName": "[concat(parameters('s'), '!')]"}])
    document = {
        "parameters": {"s": {"type": "secureString"}},
        "resources": [{"type": "Microsoft.VirtualMachineImages/imageTemplates", **wrong}],
    }
    (finding,) = check(render(read_document(document), {"s": secret}, CONTEXT))

    assert finding.message.startswith("'***!' does not")


def test_no_finding_quotes_a_signature() -> None:
    """What looks like a secret is masked in the messages of all rules."""
    signature = "c2VjcmV0LXNpZ25hdHVyZQ"
    found = findings(stagingResourceGroup=f"https://a.example/b?sig={signature}")

    assert {"resource-id-form", "secret-in-text"} <= {finding.rule for finding in found}
    assert not [finding for finding in found if signature in str(finding)]
