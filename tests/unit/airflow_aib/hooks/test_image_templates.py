from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError, SourceImageError
from airflow_aib.hooks.image_templates import TAG_ATTEMPTS, ImageTemplates
from tests.fakes import (
    IMAGE_TEMPLATE_ID,
    START,
    FakeClock,
    FakeImageBuilder,
    azure_error,
    fake_clients,
    image_template,
    reset,
)

BODY: dict[str, Any] = {"location": "eastus", "properties": {"source": {"type": "PlatformImage"}}}


def service(azure: FakeImageBuilder, clock: FakeClock | None = None) -> ImageTemplates:
    """Make the service on a scripted Azure."""
    return ImageTemplates(fake_clients(azure), clock=clock or FakeClock())


def provisioning(state: str, **properties: Any) -> dict[str, Any]:
    """Give an image template in a provisioning state."""
    body = image_template(**properties)
    body["properties"]["provisioningState"] = state
    return body


def submitted(state: str = "Creating", **properties: Any) -> dict[str, Any]:
    """Give the image template that was submitted, as Azure has it."""
    return {**BODY, "properties": {**BODY["properties"], "provisioningState": state, **properties}}


async def test_reading_gives_the_wires_own_body() -> None:
    """New members and all the digits of a time survive."""
    body = image_template({"startTime": "2026-01-05T03:00:42.169984039Z", "runState": "Running"}, future=[{"a": None}])

    assert await service(FakeImageBuilder(body)).get_image_template(IMAGE_TEMPLATE_ID) == body


async def test_what_does_not_exist_is_none() -> None:
    """A missing image template is an answer; who needs one gets an error."""
    templates = service(FakeImageBuilder())

    assert await templates.get_image_template(IMAGE_TEMPLATE_ID) is None
    with pytest.raises(ArmRequestError, match="There is no image template") as caught:
        await templates.require_image_template(IMAGE_TEMPLATE_ID)
    assert caught.value.status == 404


async def test_a_missing_subscription_is_an_error() -> None:
    """404 for the subscription does not mean that the image template is gone."""
    azure = FakeImageBuilder().then("get", azure_error(404, "SubscriptionNotFound", "No such subscription."))

    with pytest.raises(ArmRequestError, match="SubscriptionNotFound"):
        await service(azure).get_image_template(IMAGE_TEMPLATE_ID)


async def test_a_refused_token_is_renewed_once() -> None:
    """The first 401 may be a token that was taken back; with a new token it is the connection that is wrong."""
    azure = FakeImageBuilder(image_template()).then("get", azure_error(401))
    assert await service(azure).get_image_template(IMAGE_TEMPLATE_ID) == image_template()
    assert azure.calls == ["get", "token", "get"]

    azure = FakeImageBuilder(image_template()).then("get", azure_error(401), azure_error(401, "InvalidToken"))
    with pytest.raises(ArmRequestError, match="InvalidToken"):
        await service(azure).get_image_template(IMAGE_TEMPLATE_ID)


async def test_an_id_of_something_else_is_refused() -> None:
    """Nothing is asked for an id that is none."""
    with pytest.raises(ImageTemplateError):
        await service(FakeImageBuilder()).get_image_template("base")


async def test_submitting_gives_the_first_answer() -> None:
    """The image template is being created when `submit` returns; the SDK neither polls nor repeats."""
    azure = FakeImageBuilder()

    body = await service(azure).submit(IMAGE_TEMPLATE_ID, BODY)

    assert body["properties"]["provisioningState"] == "Creating"
    assert azure.options["put"]["polling"] is False
    assert azure.options["put"]["retry_total"] == 0


@pytest.mark.parametrize("error", [reset(), azure_error(500), azure_error(504), azure_error(409, "Conflict")])
async def test_a_lost_answer_is_looked_up(error: Exception) -> None:
    """When the request was carried out although its answer was lost, it is not repeated; a conflict may mean that."""
    azure = FakeImageBuilder()

    def create() -> None:
        azure.body = submitted()

    azure.then("put", (create, error))

    assert await service(azure).submit(IMAGE_TEMPLATE_ID, BODY) == submitted()
    assert azure.calls == ["put", "get"]


@pytest.mark.parametrize("error", [reset(), azure_error(503), azure_error(429)])
async def test_a_request_that_was_not_carried_out_is_repeated(error: Exception) -> None:
    """When nothing came of the request, it is sent again."""
    azure = FakeImageBuilder().then("put", error)

    await service(azure).submit(IMAGE_TEMPLATE_ID, BODY)

    assert azure.calls.count("put") == 2


async def test_a_request_that_was_carried_out_late_is_ours_too() -> None:
    """A conflict after a lost answer means that the first request came through."""
    azure = FakeImageBuilder()

    def create() -> None:
        azure.body = submitted()

    azure.then("put", azure_error(504), (create, azure_error(409, "Conflict", "It exists.")))

    assert await service(azure).submit(IMAGE_TEMPLATE_ID, BODY) == submitted()


@pytest.mark.parametrize("present", [submitted("Failed"), submitted("Succeeded", buildTimeoutInMinutes=90)])
async def test_a_conflict_with_something_else_is_not_ours(present: dict[str, Any]) -> None:
    """An image template that failed, or has other content, is not taken for the one that was submitted."""
    azure = FakeImageBuilder(present).then("put", reset(), azure_error(409, "Conflict", "It exists."))

    with pytest.raises(ArmRequestError, match="Conflict"):
        await service(azure).submit(IMAGE_TEMPLATE_ID, BODY)


async def test_a_conflict_is_an_error_that_says_what_to_do() -> None:
    """Azure updates no image template: who submits over another one is told so."""
    words = "Update/Upgrade of image templates is currently not supported"
    azure = FakeImageBuilder(image_template()).then("put", azure_error(409, "Conflict", words))

    with pytest.raises(ArmRequestError, match="delete it first") as caught:
        await service(azure).submit(IMAGE_TEMPLATE_ID, BODY)
    assert (caught.value.code, azure.calls) == ("Conflict", ["put", "get"])


async def test_repetitions_are_bounded() -> None:
    """An Azure that is down for good ends in its error, after a few tries."""
    azure = FakeImageBuilder().then("put", *[azure_error(503, "ServiceUnavailable")] * 9)

    with pytest.raises(ArmRequestError, match="ServiceUnavailable"):
        await service(azure).submit(IMAGE_TEMPLATE_ID, BODY)
    assert azure.calls.count("put") == 4


async def test_the_pause_that_azure_asks_for_is_kept() -> None:
    """`Retry-After` of a refusal is waited for, and a little more: others were asked for the same at that moment."""
    pauses: set[float] = set()
    for _ in range(5):
        clock = FakeClock()
        azure = FakeImageBuilder().then("put", azure_error(429, Retry_After="33"))
        await service(azure, clock).submit(IMAGE_TEMPLATE_ID, BODY)
        pauses.update(clock.pauses)

    assert all(33 <= pause <= 33 * 1.1 for pause in pauses)
    assert len(pauses) > 1


@pytest.mark.parametrize("status", [429, 503])
async def test_nobody_comes_back_before_the_pause_that_azure_asks_for(status: int) -> None:
    """Who is asked to wait for longer than a request is worth gives up, and does not ask again meanwhile."""
    clock = FakeClock()
    azure = FakeImageBuilder().then("put", azure_error(status, Retry_After="600"))

    with pytest.raises(ArmRequestError) as caught:
        await service(azure, clock).submit(IMAGE_TEMPLATE_ID, BODY)
    assert (caught.value.status, azure.calls, clock.pauses) == (status, ["put"], [])


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "Failed", "error": {"code": "ValidationFailed", "message": "Field 'x' has a bad value"}},
        {"code": "ValidationFailed", "message": "Field 'x' has a bad value"},
    ],
)
async def test_an_error_with_a_good_status_is_an_error(answer: dict[str, Any]) -> None:
    """What an answer says counts more than its status."""
    azure = FakeImageBuilder().then("put", answer)

    with pytest.raises(ArmRequestError, match="ValidationFailed: Field 'x'") as caught:
        await service(azure).submit(IMAGE_TEMPLATE_ID, BODY)
    assert (caught.value.code, caught.value.request_id) == ("ValidationFailed", "request-1")


async def test_provisioning_is_awaited() -> None:
    """The body after provisioning is given, whatever looks fail meanwhile."""
    azure = FakeImageBuilder(provisioning("Creating"))

    def done() -> None:
        azure.body = provisioning("Succeeded")

    azure.then("get", None, azure_error(500), reset(), done)

    body = await service(azure).wait_until_provisioned(IMAGE_TEMPLATE_ID)

    assert body == provisioning("Succeeded")
    assert azure.options["get"]["retry_total"] == 0


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("BadPIRSource", "The platform image was not found", SourceImageError),
        ("BadManagedImageSource", "Error getting Managed Image 'i': StatusCode=404", SourceImageError),
        ("BadSharedImageVersionSource", "Error getting Image Version: StatusCode=404", SourceImageError),
        ("BadSharedImageVersionSource", "Not authorized to read the image version", ArmRequestError),
        ("BadSourceType", "The image version is not replicated to westeurope", SourceImageError),
        ("BadSourceType", "The source type is not known", ImageTemplateError),
        ("UnsupportedCustomizerType", "No such customizer", ImageTemplateError),
        ("NoCustomizerScript", "No script", ImageTemplateError),
        ("BadSharedImageDistribute", "Not authorized to access the resource: g", ArmRequestError),
        ("ServerError", "Internal error occurred.", ArmRequestError),
        ("Other", "", ArmRequestError),
    ],
)
async def test_a_failed_creation_is_our_fault_or_azures(code: str, message: str, kind: type[Exception]) -> None:
    """Azure's code tells a wrong document from what another try, or a permission, may mend."""
    error = {"provisioningErrorCode": code, "message": message}
    azure = FakeImageBuilder(provisioning("Failed", provisioningError=error))

    with pytest.raises(kind, match=f"{code}: {message.rstrip('.')}") as caught:
        await service(azure).wait_until_provisioned(IMAGE_TEMPLATE_ID)
    assert "AzureImageTemplateCreateOperator replaces the failed image template" in str(caught.value)


async def test_what_is_not_authorized_may_not_be_there() -> None:
    """Azure may say the same of a gallery that the identity must not use, and of one that does not exist."""
    error = {"provisioningErrorCode": "BadSharedImageDistribute", "message": "Not authorized to access the resource: g"}
    azure = FakeImageBuilder(provisioning("Failed", provisioningError=error))

    with pytest.raises(ArmRequestError, match="or one of them is not there"):
        await service(azure).wait_until_provisioned(IMAGE_TEMPLATE_ID)


async def test_the_remedy_of_a_part_that_is_refused_names_who_replaces_it() -> None:
    """Nobody is told to delete what the next try of the task replaces."""
    error = {"provisioningErrorCode": "BadCustomizerType", "message": "No such customizer"}
    azure = FakeImageBuilder(provisioning("Failed", provisioningError=error))

    with pytest.raises(ImageTemplateError) as caught:
        await service(azure).wait_until_provisioned(IMAGE_TEMPLATE_ID)
    assert caught.value.diagnosis is not None
    remedy = caught.value.diagnosis.to_json()["remedy"]
    assert "AzureImageTemplateCreateOperator replaces the failed image template" in remedy


async def test_a_failed_creation_shows_no_signature() -> None:
    """Azure quotes the address of a script that it cannot load, with what opens it."""
    error = {"provisioningErrorCode": "BadScript", "message": "No access to https://s/a.sh?sv=2021&sig=abc%2Fdef"}
    azure = FakeImageBuilder(provisioning("Failed", provisioningError=error))

    with pytest.raises(ImageTemplateError, match="No access to") as caught:
        await service(azure).wait_until_provisioned(IMAGE_TEMPLATE_ID)
    assert "abc" not in str(caught.value)


async def test_provisioning_is_awaited_for_a_bounded_time() -> None:
    """An image template that stays Creating is an error that says so, at its time."""
    clock = FakeClock()
    azure = FakeImageBuilder(provisioning("Creating"))

    with pytest.raises(ArmRequestError, match=r"not provisioned within 0:10:00.*Creating"):
        await service(azure, clock).wait_until_provisioned(IMAGE_TEMPLATE_ID, within=timedelta(minutes=10))
    assert clock.now() == START + timedelta(minutes=10)


async def test_an_image_template_that_vanishes_ends_the_wait() -> None:
    """Nobody waits for the provisioning of what somebody else has deleted."""
    with pytest.raises(ArmRequestError, match="There is no image template"):
        await service(FakeImageBuilder()).wait_until_provisioned(IMAGE_TEMPLATE_ID)


async def test_deleting_is_awaited() -> None:
    """Deletion ends when the image template is gone."""
    azure = FakeImageBuilder(provisioning("Deleting"))

    def gone() -> None:
        azure.body = None

    azure.then("get", None, None, gone)
    templates = service(azure)

    assert await templates.delete(IMAGE_TEMPLATE_ID) is True
    await templates.wait_until_deleted(IMAGE_TEMPLATE_ID)
    assert azure.options["delete"]["polling"] is False


async def test_deleting_what_is_gone_is_no_error() -> None:
    """Whoever wants it gone has what they want."""
    templates = service(FakeImageBuilder())

    assert await templates.delete(IMAGE_TEMPLATE_ID) is False
    await templates.wait_until_deleted(IMAGE_TEMPLATE_ID)


async def test_a_deletion_that_fails_is_reported() -> None:
    """An image template that comes back from Deleting as Failed is not waited for."""
    azure = FakeImageBuilder(provisioning("Deleting"))

    def failed() -> None:
        azure.body = provisioning("Failed", provisioningError={"provisioningErrorCode": "Other", "message": "Locked"})

    azure.then("get", None, failed)

    with pytest.raises(ArmRequestError, match=r"deletion .* failed: Other: Locked\. .* delete .* again"):
        await service(azure).wait_until_deleted(IMAGE_TEMPLATE_ID)


async def test_tags_are_merged_with_those_that_are_there() -> None:
    """Tags of others stay, ours are set or removed, and the present state is read before."""
    azure = FakeImageBuilder({**image_template(), "tags": {"owner": "team", "old": "x"}})

    body = await service(azure).merge_tags(IMAGE_TEMPLATE_ID, {"mark": "1", "old": None})

    assert body["tags"] == {"owner": "team", "mark": "1"}
    assert azure.calls == ["get", "patch", "get"]


async def test_a_mark_that_somebody_else_overwrote_is_set_again() -> None:
    """Azure replaces all tags at once: who read before our write, and writes after it, takes our mark away."""
    azure = FakeImageBuilder(image_template())

    def overwrite() -> None:
        azure.body = {**image_template(), "tags": {"theirs": "2"}}

    azure.then("get", None, overwrite)

    body = await service(azure).merge_tags(IMAGE_TEMPLATE_ID, {"mark": "1"})

    assert body["tags"] == {"theirs": "2", "mark": "1"}
    assert azure.calls == ["get", "patch", "get", "patch", "get"]


async def test_a_mark_that_stays_at_last_is_set() -> None:
    """What the last write has set is looked at too."""
    azure = FakeImageBuilder(image_template())

    def strip() -> None:
        azure.body = image_template()

    azure.then("get", *[strip] * TAG_ATTEMPTS)

    body = await service(azure).merge_tags(IMAGE_TEMPLATE_ID, {"mark": "1"})

    assert body["tags"] == {"mark": "1"}
    assert azure.calls.count("patch") == TAG_ATTEMPTS


async def test_a_mark_that_never_stays_is_an_error() -> None:
    """A policy that takes tags away is told, since the mark is what protects from loss."""
    azure = FakeImageBuilder(image_template())

    def strip() -> None:
        azure.body = image_template()

    azure.then("get", *[strip] * 20)

    with pytest.raises(ArmRequestError, match=r"'mark' of image template .* do not stay.*Azure Policy"):
        await service(azure).merge_tags(IMAGE_TEMPLATE_ID, {"mark": "1"})


@pytest.mark.parametrize("spelling", ["mark", "Mark"])
async def test_tags_that_are_there_cost_no_change(spelling: str) -> None:
    """Setting what is set writes nothing, however the tag's name is spelled."""
    azure = FakeImageBuilder({**image_template(), "tags": {spelling: "1"}})

    await service(azure).merge_tags(IMAGE_TEMPLATE_ID, {"mark": "1", "absent": None})

    assert azure.calls == ["get"]
