from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from airflow_aib.image_template.upgrading.upgrade import upgrade
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP, IDENTITY, body, rendered_sample


def upgraded(**properties: Any) -> dict[str, Any]:
    """Upgrade an image template's properties."""
    return dict(upgrade({"properties": properties}, CONTEXT)[0]["properties"])


def changed_paths(**properties: Any) -> list[str]:
    """Return where an upgrade changes something."""
    return [change.path for change in upgrade({"properties": properties}, CONTEXT)[1]]


def upgraded_customizer(**customizer: Any) -> dict[str, Any]:
    """Upgrade one customizer."""
    (only,) = upgraded(customize=[customizer])["customize"]
    return dict(only)


def test_current_body_is_not_changed() -> None:
    """A body in the current spelling comes back as it is."""
    assert upgrade(body(), CONTEXT) == (body(), ())


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ({"type": "shell", "inline": ["a"]}, {"type": "Shell", "inline": ["a"]}),
        ({"type": "Shell", "inline": "a"}, {"type": "Shell", "inline": ["a"]}),
        ({"type": "Shell", "script": "https://a/b"}, {"type": "Shell", "scriptUri": "https://a/b"}),
        ({"type": "Shell", "ScriptURI": "https://a/b"}, {"type": "Shell", "scriptUri": "https://a/b"}),
        ({"type": "PowerShell", "valid_exit_codes": "0,3010"}, {"type": "PowerShell", "validExitCodes": [0, 3010]}),
        ({"type": "PowerShell", "validExitCodes": "0"}, {"type": "PowerShell", "validExitCodes": [0]}),
        ({"type": "PowerShell", "validExitCodes": ["0", 1]}, {"type": "PowerShell", "validExitCodes": [0, 1]}),
        ({"type": "PowerShell", "runElevated": "True"}, {"type": "PowerShell", "runElevated": True}),
        ({"type": "File", "sourceURI": "https://a/b"}, {"type": "File", "sourceUri": "https://a/b"}),
        ({"type": "WindowsUpdate", "updateLimit": "20"}, {"type": "WindowsUpdate", "updateLimit": 20}),
        ({"Type": "windowsrestart"}, {"type": "WindowsRestart"}),
    ],
)
def test_customizers(sent: dict[str, Any], written: dict[str, Any]) -> None:
    """Every former spelling of a customizer becomes the current one."""
    assert upgraded_customizer(**sent) == written


def test_customizer_values_that_are_no_numbers_stay() -> None:
    """What cannot be read as a number stays, for the checks to report."""
    assert upgraded_customizer(type="PowerShell", validExitCodes="all")["validExitCodes"] == ["all"]
    assert upgraded_customizer(type="PowerShell", runElevated="perhaps")["runElevated"] == "perhaps"


def test_source_of_2019() -> None:
    """ImageVersionID becomes imageVersionId."""
    assert upgraded(source={"type": "SharedImageVersion", "imageVersionID": "/v"})["source"] == {
        "type": "SharedImageVersion",
        "imageVersionId": "/v",
    }


def test_distributors_of_2019() -> None:
    """Types get their letters, and the tags of a VHD are artifact tags."""
    distribute = [
        {"type": "managedImage", "runOutputName": "a"},
        {"type": "sharedImage", "runOutputName": "b", "excludeFromLatest": "false"},
        {"type": "vhd", "runOutputName": "c", "tags": {"x": "y"}},
        {"type": "VHD", "runOutputName": "d", "aritfactTags": {"x": "y"}},
    ]

    assert upgraded(distribute=distribute)["distribute"] == [
        {"type": "ManagedImage", "runOutputName": "a"},
        {"type": "SharedImage", "runOutputName": "b", "excludeFromLatest": False},
        {"type": "VHD", "runOutputName": "c", "artifactTags": {"x": "y"}},
        {"type": "VHD", "runOutputName": "d", "artifactTags": {"x": "y"}},
    ]


def test_subnet_by_names() -> None:
    """The three names of 2019 become one resource id in the same subscription."""
    network = {"name": "v", "subnetName": "s", "resourceGroupName": "net"}
    subscription = f"/subscriptions/{CONTEXT.subscription_id}"

    assert upgraded(vmProfile={"vnetConfig": network})["vmProfile"]["vnetConfig"] == {
        "subnetId": f"{subscription}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    }


def test_subnet_without_group_is_in_the_image_templates_group() -> None:
    """Without a group the network is taken to be in that of the image template."""
    profile = upgraded(vmProfile={"vnetConfig": {"name": "v", "subnetName": "s"}})["vmProfile"]

    assert profile["vnetConfig"]["subnetId"].startswith(f"{GROUP}/")


def test_subnet_id_wins() -> None:
    """Where there is a subnet id, names beside it stay, for the checks to report."""
    network = {"subnetId": "/s", "name": "v", "subnetName": "s"}

    assert upgraded(vmProfile={"vnetConfig": network})["vmProfile"]["vnetConfig"] == network


def test_words_get_their_letters() -> None:
    """Words of a fixed list get the letters of the list."""
    assert upgraded(optimize={"vmboot": {"state": "enabled"}})["optimize"] == {"vmBoot": {"state": "Enabled"}}
    assert upgraded(errorHandling={"onCustomizerError": "Abort"})["errorHandling"] == {"onCustomizerError": "abort"}


def test_numbers_as_text() -> None:
    """Numbers that came as text, as from Airflow's templates, become numbers."""
    assert upgraded(buildTimeoutInMinutes="90", vmProfile={"osDiskSizeGB": "40"}) == {
        "buildTimeoutInMinutes": 90,
        "vmProfile": {"osDiskSizeGB": 40},
    }


def test_what_azure_writes_is_left_out() -> None:
    """A body that was fetched from Azure can be submitted again."""
    fetched = body(
        source={"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s", "exactVersion": "1.0"},
        provisioningState="Succeeded",
        lastRunStatus={"runState": "Succeeded"},
        exactStagingResourceGroup="/x",
    )
    fetched["identity"]["userAssignedIdentities"] = {IDENTITY: {"principalId": "p", "clientId": "c"}}
    written, changes = upgrade(fetched, CONTEXT)

    assert set(written["properties"]) == {"source", "customize", "distribute"}
    assert "exactVersion" not in written["properties"]["source"]
    assert written["identity"]["userAssignedIdentities"] == {IDENTITY: {}}
    assert {change.why for change in changes} == {"Azure writes it, nobody sends it"}


def test_unknown_members_stay() -> None:
    """What the tables do not know, as a member of a newer service, is passed on untouched."""
    assert upgraded(newThing={"a": 1}, source={"type": "Quantum", "x": 1}) == {
        "newThing": {"a": 1},
        "source": {"type": "Quantum", "x": 1},
    }


def test_both_spellings_at_once_stay() -> None:
    """Where the old and the new spelling stand side by side, neither replaces the other."""
    both = {"type": "Shell", "scriptUri": "https://a", "script": "https://b"}

    assert upgraded_customizer(**both) == both


def test_every_change_is_reported() -> None:
    """Each change has its path in the body as it is now, what was changed and why."""
    assert changed_paths(customize=[{"type": "powershell", "inline": "a", "valid_exit_codes": "0"}]) == [
        "/properties/customize/0/inline",
        "/properties/customize/0/validExitCodes",
        "/properties/customize/0/validExitCodes",
        "/properties/customize/0/type",
    ]
    (change,) = upgrade({"properties": {"buildTimeoutInMinutes": "9"}}, CONTEXT)[1]
    assert str(change).startswith("/properties/buildTimeoutInMinutes: text becomes the integer 9 (")


def test_a_change_says_where_it_was_before_any_other() -> None:
    """The former path has the former names of everything around it."""
    properties = {"Customize": [{"Type": "shell", "script": "https://a"}]}
    changes = upgrade({"properties": properties}, CONTEXT)[1]

    assert {(change.path, change.former_path) for change in changes} == {
        ("/properties/customize", "/properties/Customize"),
        ("/properties/customize/0/type", "/properties/Customize/0/Type"),
        ("/properties/customize/0/scriptUri", "/properties/Customize/0/script"),
    }


@pytest.mark.parametrize(
    ("sent", "since"),
    [
        ({"type": "Shell", "script": "https://a"}, "2019-05-01-preview"),
        ({"type": "Shell", "ScriptUri": "https://a"}, "2024-02-01"),
        ({"type": "shell"}, "2020-02-14"),
        ({"type": "Shell", "inline": "a"}, "2020-02-14"),
        ({"type": "PowerShell", "valid_exit_codes": [0]}, "2020-02-14"),
    ],
)
def test_a_change_says_since_when(sent: dict[str, Any], since: str) -> None:
    """Each change names the api-version that ended the old spelling."""
    (change,) = upgrade({"properties": {"customize": [sent]}}, CONTEXT)[1]

    assert change.since == since


def test_what_was_never_right_holds_ever_since() -> None:
    """A misspelling that no api-version had is explained by none."""
    distributor = {"type": "VHD", "runOutputName": "a", "aritfactTags": {"a": "b"}}
    (change,) = upgrade({"properties": {"distribute": [distributor]}}, CONTEXT)[1]

    assert change.since == "2018-02-01-preview"
    assert change.what == "'aritfactTags' is now called 'artifactTags'"


@pytest.mark.parametrize(
    "both",
    [
        {"type": "Shell", "script": "https://a", "ScriptUri": "https://b"},
        {"type": "Shell", "Type": "PowerShell", "inline": ["a"]},
    ],
)
def test_nothing_is_lost_between_two_spellings(both: dict[str, Any]) -> None:
    """Of two old spellings of one member both values are still there."""
    assert sorted(map(str, upgraded_customizer(**both).values())) == sorted(map(str, both.values()))


def test_a_subnet_with_a_name_too_many_stays() -> None:
    """Where one of the names stands twice, in different letter case, nothing is joined."""
    network = {"name": "v", "Name": "w", "subnetName": "s"}

    assert upgraded(vmProfile={"vnetConfig": network})["vmProfile"]["vnetConfig"] == network


def test_a_number_of_thousands_of_digits_stays_text() -> None:
    """Python would refuse to read it."""
    assert upgraded(buildTimeoutInMinutes="9" * 5000) == {"buildTimeoutInMinutes": "9" * 5000}


def test_letters_of_the_identity() -> None:
    """Members and type of the identity get the service's letters; null becomes an object."""
    identity = {"Type": "userAssigned", "userassignedidentities": {IDENTITY: None}, "tenantId": "t"}

    assert upgrade({"identity": identity}, CONTEXT)[0] == {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    }


@pytest.mark.parametrize("name", ["linux-2019.json", "windows-2020.json"])
def test_samples_of_old_versions_are_known_to_the_tables(name: str) -> None:
    """After the upgrade of an old document the checks find no unknown member and no wrong type."""
    assert [finding for finding in check(rendered_sample(name)) if finding.rule.startswith("member-")] == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Shell", "shell", "0,1", "true", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "Type", "inline", "tags", "name", "subnetName", "scheme"]), inner)
    ),
)
properties_of_any_kind = st.dictionaries(
    st.sampled_from(["source", "Customize", "customize", "distribute", "vmProfile", "validate", "x"]), values
)


@given(properties_of_any_kind)
def test_upgrading_twice_changes_nothing_more(properties: dict[str, Any]) -> None:
    """An upgraded body is current, whatever it was."""
    once, _ = upgrade({"properties": properties}, CONTEXT)
    twice, changes = upgrade(once, CONTEXT)

    assert twice == once
    assert changes == ()


LAX = {"customize": [{"type": "Shell", "inline": ["true"], "pause_before": "5m"}], "optimize": {}, "Customise": []}


@pytest.mark.parametrize("api_version", ["2019-05-01-preview", "2023-07-01"])
def test_what_an_old_api_version_ignored_is_left_out(api_version: str) -> None:
    """A member that never had an effect is left out, and said; what a later api-version has stays."""
    upgraded, changes = upgrade({"properties": LAX}, CONTEXT, api_version)

    assert upgraded["properties"] == {"customize": [{"type": "Shell", "inline": ["true"]}], "optimize": {}}
    assert {change.path for change in changes} == {"/properties/customize/0/pause_before", "/properties/Customise"}
    assert all(api_version in change.why for change in changes)


@pytest.mark.parametrize("api_version", [None, "2024-02-01", "2025-10-01", "2030-01-01"])
def test_what_a_strict_api_version_refuses_stays(api_version: str | None) -> None:
    """Where unknown members are refused, or nobody says, they stay for the checks to report."""
    upgraded, changes = upgrade({"properties": LAX}, CONTEXT, api_version)

    assert upgraded["properties"] == LAX
    assert changes == ()


def test_ignored_members_of_an_old_document_are_remarked_on() -> None:
    """A document that an old api-version took has no error because of what that one ignored, and a warning."""
    found = check(render(read_document(body(**LAX) | {"apiVersion": "2020-02-14"}), {}, CONTEXT))

    assert {(finding.severity, finding.rule) for finding in found} == {("warning", "spelling-outdated")}
    hints = {finding.path.rpartition("/")[2]: finding.hint for finding in found}
    assert any("'pause_before' is left out: api-version 2020-02-14 ignores it" in finding.message for finding in found)
    assert "airflow-aib upgrade" in hints["pause_before"]
    assert hints["Customise"] == "Is 'customize' meant?"
