from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.mgmt.imagebuilder
import azure.mgmt.imagebuilder.aio
import azure.mgmt.resource.deployments
import azure.mgmt.resource.deployments.aio
import azure.mgmt.resource.resources
import azure.mgmt.resource.resources.aio
import pytest
from azure.core.exceptions import HttpResponseError

from tests.contract.resources.documents import (
    IDENTITY,
    asked,
    document,
    golden_image,
    golden_image_in_a_gallery,
    identity,
    image_template,
)
from tests.contract.sdk_clients import GROUP, done, every, finished, refused

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

FAILURE = "The resource write operation failed to complete successfully, because it reached terminal provisioning state"


@pytest.fixture
def client(cloud: Cloud) -> Any:
    """Make a client of deployments."""
    return cloud._manager(
        azure.mgmt.resource.deployments.DeploymentsMgmtClient,
        azure.mgmt.resource.deployments.aio.DeploymentsMgmtClient,
    )


@pytest.fixture
def deployments(client: Any) -> Any:
    """Return the calls about deployments."""
    return client.deployments


@pytest.fixture
def resources(cloud: Cloud) -> Any:
    """Return the calls about resources of any type."""
    return cloud._manager(
        azure.mgmt.resource.resources.ResourceManagementClient,
        azure.mgmt.resource.resources.aio.ResourceManagementClient,
    ).resources


async def deploy(deployments: Any, body: dict[str, Any], name: str = "first") -> Any:
    """Deploy to the start world's group, and return the deployment at its end."""
    return await finished(deployments.begin_create_or_update(GROUP, name, body))


async def failure(deployments: Any, body: dict[str, Any]) -> Any:
    """Deploy what fails, and return the error."""
    with pytest.raises(HttpResponseError) as caught:
        await deploy(deployments, body)
    return caught.value.error


async def names(resources: Any) -> list[str]:
    """Return the names of what lies in the start world's group."""
    return [item.name for item in await every(resources.list_by_resource_group(GROUP))]


async def test_a_document_is_deployed(deployments: Any, resources: Any, cloud: Cloud) -> None:
    """Resources are put in the order of their dependencies, and outputs know them as they are."""
    done_ = await deploy(deployments, asked(golden_image(), name="golden"))
    assert done_.properties.provisioning_state == "Succeeded"
    outputs = {name: output["value"] for name, output in done_.properties.outputs.items()}
    assert outputs["imageTemplateId"].endswith("/imageTemplates/golden")
    assert outputs["blobs"].startswith(cloud.thread.emulator.blob_url)
    assert outputs["keys"] == 2
    made = await done(resources.get_by_id(outputs["imageTemplateId"], api_version="2024-02-01"))
    (used,) = made.identity.user_assigned_identities.values()
    assert made.tags == {"principal": used.principal_id}
    assert made.properties["provisioningState"] == "Succeeded"
    assert [item.id.rpartition("/")[2] for item in done_.properties.output_resources][1:] == ["mine", "golden"]


async def test_a_gallery_is_deployed_with_who_writes_there(deployments: Any, resources: Any) -> None:
    """A definition waits for its gallery, and the image template for the role that its identity needs there."""
    done_ = await deploy(deployments, asked(golden_image_in_a_gallery(), name="golden"))
    assert done_.properties.provisioning_state == "Succeeded"
    assert {"golden", "golden/linux", "mine"} <= set(await names(resources))


async def test_a_deployment_shows_its_parameters_and_keeps_secrets(deployments: Any) -> None:
    """GET shows the values of parameters except secure ones, and the export gives the document back."""
    await deploy(deployments, asked(golden_image(), name="golden"))
    shown = await done(deployments.get(GROUP, "FIRST"))
    assert shown.properties.parameters == {
        "name": {"type": "String", "value": "golden"},
        "word": {"type": "SecureString"},
    }
    assert (await done(deployments.export_template(GROUP, "first"))).template == golden_image()
    assert [item.name for item in await every(deployments.list_by_resource_group(GROUP))] == ["first"]


async def test_operations_tell_what_was_done(client: Any, deployments: Any) -> None:
    """Each resource has an operation of its own, and the outputs have one."""
    await deploy(deployments, asked(golden_image(), name="golden"))
    found = [item.properties for item in await every(client.deployment_operations.list(GROUP, "first"))]
    assert [item.provisioning_operation for item in found] == ["Create"] * 3 + ["EvaluateDeploymentOutput"]
    assert {item.provisioning_state for item in found} == {"Succeeded"}
    (last,) = [item for item in found if item.target_resource and item.target_resource.resource_name == "golden"]
    assert (last.status_code, last.target_resource.resource_type) == (
        "Created",
        "Microsoft.VirtualMachineImages/imageTemplates",
    )
    (first, *_) = await every(client.deployment_operations.list(GROUP, "first"))
    assert (await done(client.deployment_operations.get(GROUP, "first", first.operation_id))).id == first.id


async def test_a_failed_creation_is_nested(cloud: Cloud, deployments: Any) -> None:
    """An image template whose creation fails makes the deployment fail, with its error two storeys down."""
    cloud.thread.control.plan_failure(kind="creation", image_template="golden")
    error = await failure(deployments, asked(golden_image(), name="golden"))
    assert error.code == "DeploymentFailed"
    (nested,) = error.details
    assert (nested.code, nested.message) == ("ResourceDeploymentFailure", f"{FAILURE} 'Failed'.")
    assert [detail.code for detail in nested.details] == ["InternalOperationError"]
    shown = await done(deployments.get(GROUP, "first"))
    assert (shown.properties.provisioning_state, shown.properties.error.code) == ("Failed", "DeploymentFailed")


async def test_a_refusal_is_told(deployments: Any) -> None:
    """What a resource's service refuses stands in the details, and what depends on it is not put."""
    await deploy(deployments, asked(golden_image(), name="golden"))
    again = document(
        *golden_image()["resources"],
        identity("later", dependsOn=["golden"]),
        **{name: golden_image()[name] for name in ("parameters", "variables")},
    )
    error = await failure(deployments, asked(again, name="golden"))
    (detail,) = error.details
    assert (detail.code, detail.message) == ("Conflict", "Update/Upgrade of image templates is currently not supported")
    shown = await done(deployments.get(GROUP, "first"))
    assert [item.resource_name for item in shown.properties.dependencies] == ["golden", "later"]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (asked(golden_image()), "InvalidTemplate", "The value for the template parameter 'name' is not provided"),
        (asked(golden_image(), name="t", more=1), "InvalidTemplate", "'more' in the parameters file are not valid"),
        (asked(golden_image(), name=7), "InvalidTemplate", "Expected a value of type 'String', but received"),
        (
            asked(document(identity("[nothing('a')]"))),
            "InvalidTemplate",
            "The template function 'nothing' is not valid",
        ),
        (
            asked(document(identity("a", dependsOn=["b"]))),
            "InvalidTemplate",
            "The resource 'b' is not defined in the template",
        ),
        (
            asked(document(identity("a", dependsOn=["b"]), identity("b", dependsOn=["a"]))),
            "InvalidTemplate",
            "Circular dependency detected on resource",
        ),
        (asked(document(identity("a"), identity("A"))), "InvalidTemplate", "is defined multiple times"),
        (asked(document(identity("a/b"))), "InvalidTemplate", "incorrect segment lengths"),
        (
            asked(document(identity("a", location="moon"))),
            "InvalidTemplateDeployment",
            "LocationNotAvailableForResourceType",
        ),
        (
            asked(document(identity("a", type="Microsoft.Compute/clouds"))),
            "InvalidTemplateDeployment",
            "InvalidResourceType",
        ),
        ({"location": "eastus", **asked(document())}, "InvalidDeployment", "The 'location' property is not allowed"),
        (asked(document(), mode="Partial"), "InvalidRequestContent", "The deployment mode 'Partial' is not valid"),
        (
            {
                "properties": {
                    "mode": "Incremental",
                    "templateLink": {"uri": "https://example.com/main.json?sig=secret"},
                }
            },
            "InvalidContentLink",
            "from 'https://example.com/main.json'.",
        ),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_put(
    deployments: Any, body: dict[str, Any], code: str, words: str
) -> None:
    """A document that cannot be deployed is refused by PUT and by validate alike."""
    with pytest.raises(HttpResponseError) as caught:
        await done(deployments.begin_create_or_update(GROUP, "first", body))
    error: Any = caught.value
    assert (error.status_code, error.error.code) == (400, code)
    assert words in str(error)
    with refused(code, status=400):
        await finished(deployments.begin_validate(GROUP, "first", body))
    assert await done(deployments.check_existence(GROUP, "first")) is False


async def test_an_output_that_fails(deployments: Any, resources: Any) -> None:
    """Each output that cannot be evaluated is named; the resources stay."""
    outputs = {
        "good": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}},
        "bad": {"type": "string", "value": "[reference('only').nothing]"},
        "gone": {"type": "object", "value": f"[reference(resourceId('{IDENTITY}', 'gone'), '2023-01-31')]"},
    }
    error = await failure(deployments, asked(document(identity("only"), outputs=outputs)))
    assert error.code == "DeploymentOutputEvaluationFailed"
    assert "Unable to evaluate template outputs: 'bad,gone'" in error.message
    bad, gone = error.details
    assert (bad.target, "The template output 'bad' is not valid" in bad.message) == ("bad", True)
    assert "'Microsoft.ManagedIdentity/userAssignedIdentities/gone'" in gone.message
    assert "only" in await names(resources)


async def test_a_subscription_needs_a_location(deployments: Any) -> None:
    """A deployment to the subscription says where it is kept itself."""
    with refused("InvalidDeployment", status=400):
        await done(deployments.begin_create_or_update_at_subscription_scope("whole", asked(document())))


async def test_validation_puts_nothing(deployments: Any, resources: Any) -> None:
    """A good validation names what would be put, and leaves everything as it is."""
    before = await names(resources)
    validated = await finished(deployments.begin_validate(GROUP, "first", asked(golden_image(), name="golden")))
    assert validated.properties.provisioning_state == "Succeeded"
    assert len(validated.properties.validated_resources) == 3
    assert await names(resources) == before


async def test_what_if(deployments: Any) -> None:
    """A what-if tells what would be made, changed and left, and what it cannot know stays an expression."""
    body = asked(document(identity("mine", tags={"a": "b"}), image_template("golden")))
    found = await changes(deployments, body)
    assert found["mine"].change_type == found["golden"].change_type == "Create"
    assert found["image-builder"].change_type == "Ignore"
    await deploy(deployments, asked(document(identity("mine"), image_template("golden"))))
    found = await changes(deployments, body)
    assert found["golden"].change_type == "NoChange"
    assert found["mine"].change_type == "Modify"
    assert [(part.path, part.property_change_type) for part in found["mine"].delta] == [("tags.a", "Create")]
    secret = {"parameters": {"word": {"type": "secureString", "defaultValue": "hidden"}}}
    told = await changes(deployments, asked(document(identity("mine", tags={"a": "[parameters('word')]"}), **secret)))
    assert told["mine"].after["tags"] == {"a": "*******"}
    unknown = document(identity("other", tags={"id": "[reference('mine2').clientId]"}), identity("mine2"))
    assert (await changes(deployments, asked(unknown)))["other"].after["tags"] == {
        "id": "[reference('mine2').clientId]"
    }


async def changes(deployments: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Return what a what-if says of each resource."""
    found = await finished(deployments.begin_what_if(GROUP, "first", body))
    return {change.resource_id.rpartition("/")[2]: change for change in found.changes}


async def test_complete_mode_deletes_the_rest(deployments: Any, resources: Any) -> None:
    """In complete mode only what the document names is left in the group."""
    await deploy(deployments, asked(document(identity("only")), mode="Complete"))
    assert await names(resources) == ["only"]


async def test_copies_conditions_and_parts(deployments: Any, resources: Any) -> None:
    """Copy loops, conditions and resources written inside others are carried out."""
    copied = identity(
        "[format('copy{0}', copyIndex(1))]", copy={"name": "copies", "count": "[length(createArray(1, 2))]"}
    )
    never = identity("never", condition="[equals(1, 2)]")
    gallery = {
        "type": "Microsoft.Compute/galleries",
        "apiVersion": "2024-03-03",
        "name": "mine",
        "location": "eastus",
        "dependsOn": ["copies", "never"],
        "properties": {},
        "resources": [
            {
                "type": "images",
                "apiVersion": "2024-03-03",
                "name": "base",
                "location": "eastus",
                "dependsOn": ["mine"],
                "properties": {
                    "osType": "Linux",
                    "osState": "Generalized",
                    "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
                },
            }
        ],
    }
    await deploy(deployments, asked(document(gallery, copied, never)))
    found = sorted(await names(resources))
    assert [name for name in found if name not in {"image-builder", "imagestore"} and "corp" not in name] == [
        "copy1",
        "copy2",
        "mine",
        "mine/base",
    ]


async def test_symbolic_names(deployments: Any) -> None:
    """Documents of language version 2 name their resources, and may refer to what is there already."""
    named = document()
    named["languageVersion"] = "2.0"
    named["resources"] = {
        "builder": {"existing": True, "type": IDENTITY, "apiVersion": "2023-01-31", "name": "image-builder"},
        "second": identity("second", tags={"like": "[reference('builder').clientId]"}, dependsOn=["first", "builder"]),
        "first": identity("first"),
    }
    named["outputs"] = {
        "same": {
            "type": "bool",
            "value": "[equals(reference('second', '2023-01-31', 'full').tags.like, reference('builder').clientId)]",
        }
    }
    finished_ = await deploy(deployments, asked(named))
    assert finished_.properties.outputs["same"]["value"] is True
    assert [item.id.rpartition("/")[2] for item in finished_.properties.output_resources] == ["first", "second"]


async def test_modules(deployments: Any) -> None:
    """A deployment inside a document evaluates its own expressions when it says so, and hands its outputs out."""
    inner = document(
        identity("[parameters('name')]"),
        parameters={"name": {"type": "string"}},
        outputs={"made": {"type": "string", "value": "[parameters('name')]"}},
    )
    module = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "module",
        "properties": {
            "expressionEvaluationOptions": {"scope": "inner"},
            **asked(inner, name="[concat('a', 'b')]")["properties"],
        },
    }
    outer = document(module, outputs={"made": {"type": "string", "value": "[reference('module').outputs.made.value]"}})
    finished_ = await deploy(deployments, asked(outer))
    assert finished_.properties.outputs["made"]["value"] == "ab"
    assert (await done(deployments.get(GROUP, "module"))).properties.provisioning_state == "Succeeded"


async def test_deployment_to_the_subscription(deployments: Any) -> None:
    """A document for the subscription makes a group, and a deployment inside it fills that."""
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2024-11-01",
        "name": "made",
        "location": "[deployment().location]",
    }
    inside = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inside",
        "resourceGroup": "made",
        "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'made')]"],
        "properties": {
            "expressionEvaluationOptions": {"scope": "inner"},
            **asked(document(identity("mine")))["properties"],
        },
    }
    body = {"location": "eastus", **asked(document(group, inside))}
    made = await finished(deployments.begin_create_or_update_at_subscription_scope("whole", body))
    assert (made.location, made.properties.provisioning_state) == ("eastus", "Succeeded")
    assert [item.name for item in await every(deployments.list_at_subscription_scope())] == ["whole"]
    assert [item.name for item in await every(deployments.list_by_resource_group("made"))] == ["inside"]
