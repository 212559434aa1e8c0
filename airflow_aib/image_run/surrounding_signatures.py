"""The known failures that are no part of a build's own doing: refused calls, rights, policies, quotas, sources.

Which they are among others, and how a new one is added, `failure_signatures.py` says.
"""

from __future__ import annotations

from airflow_aib.image_run import documentation as docs
from airflow_aib.image_run.failure_signature import (
    ANYWHERE,
    IN_A_WHILE,
    LATER,
    NOT_KNOWN,
    SOON,
    Signature,
    Words,
    call_says,
    deploying_has,
    message_has,
)

# Azure refused or lost the call itself.
CALLS: tuple[Signature, ...] = (
    Signature(
        "image-template-exists",
        "an image template of this name is there, and none can be updated",
        "Delete the image template first, also one whose creation failed, or use another name.",
        docs.section("update-or-upgrade-of-image-templates-is-currently-not-supported"),
        NOT_KNOWN,
        recognised_by=(call_says("Update/Upgrade of image templates is currently not supported"),),
    ),
    Signature(
        "distributor-dropped",
        "an update left out a distributor",
        "Send all distributors with an update; to drop one, delete the image template and create it anew.",
        docs.section("distribution-target-is-not-found-in-the-update-request"),
        recognised_by=(call_says("not found in the update request", "Deleting a distribution target is not allowed"),),
    ),
    Signature(
        "field-missing",
        "a required member is not there",
        "Add the member that the message names; an update needs all required members too.",
        docs.section("required-fields-are-missing"),
        recognised_by=(call_says("Missing field"), Words(("Missing field",))),
    ),
    Signature(
        "field-unknown",
        "a member that the api-version does not know, or in other letter case",
        "Correct the member that the message names: from 2024-02-01 on letter case counts, and unknown ones fail.",
        docs.IMAGE_TEMPLATES,
        recognised_by=(call_says("unknown field"), call_says("Unmarshalling entity encountered error")),
    ),
    Signature(
        "value-invalid",
        "a member has a value that the service does not take",
        "Correct the member that the message names.",
        docs.IMAGE_TEMPLATES,
        recognised_by=(call_says("has a bad value"), Words(("has a bad value",)), call_says("ValidationFailed")),
    ),
    Signature(
        "call-not-allowed",
        "the connection's identity lacks a right",
        "Give the connection's identity the action that the message names, on the scope that it names.",
        docs.PERMISSIONS,
        recognised_by=(call_says("AuthorizationFailed"),),
    ),
    Signature(
        "image-template-busy",
        "the image template is being created, is running or is being cancelled",
        "Wait until it is idle, or cancel its run, then try again.",
        docs.TROUBLESHOOTING,
        SOON,
        recognised_by=(call_says("is not allowed in provisioning"),),
    ),
    Signature(
        "gateway-timeout",
        "a gateway before the service lost the answer",
        "Look whether the run has started before asking again; the run operator does.",
        docs.TROUBLESHOOTING,
        SOON,
        recognised_by=(call_says("did not receive a response from 'Microsoft.VirtualMachineImages'"),),
    ),
)

# Rights, policies, identities, quotas, what Azure must have: no part of the build's own doing.
SURROUNDINGS: tuple[Signature, ...] = (
    Signature(
        "timeout-too-short",
        "`buildTimeoutInMinutes` is 1 to 5",
        "Set buildTimeoutInMinutes to 0 or to at least 6.",
        docs.section("jwt-errors-appear-in-the-log-early-in-the-build"),
        recognised_by=(deploying_has("client_jwt will expire within 5 minutes"),),
        step="deploy",
    ),
    Signature(
        "policy-denied",
        "an Azure Policy forbids what the build creates",
        "An Azure Policy forbids what the build creates: exempt the staging resource group, or change the policy.",
        docs.section("template-deployment-failed-because-of-a-policy-violation"),
        recognised_by=(
            Words(("RequestDisallowedByPolicy",), places=ANYWHERE),
            deploying_has("RequestDisallowedByPolicy"),
        ),
    ),
    Signature(
        "identity-unusable",
        "the identity was deleted or moved",
        "The identity was deleted or moved: PATCH the image template's identity, the old one null, the new one {}.",
        docs.section("assigned-managed-identity-on-an-image-template-cant-be-used"),
        recognised_by=(Words(("The assigned managed identity cannot be used",), places=ANYWHERE),),
    ),
    Signature(
        "staging-permission-missing",
        "AIB's service principal lacks a right on the staging resource group",
        "Grant the service principal of Azure VM Image Builder the role Contributor on the staging resource group.",
        docs.section("authorization-error-occurs-with-creating-a-disk"),
        recognised_by=(
            message_has(
                "does not have authorization to perform action 'Microsoft.Compute/disks/write'", "proxyVmDiskWin_"
            ),
        ),
    ),
    Signature(
        "permission-missing",
        "the image template's identity lacks a right",
        "Grant the image template's identity the right that the message names, on the resource that it names; or that "
        "resource is not there, which Azure may tell in the same words.",
        docs.NOT_AUTHORIZED,
        recognised_by=(
            message_has("Not authorized to access the resource"),
            message_has("Build (Managed Image) step failed", "Status=403"),
            message_has("network.InterfacesClient#UpdateTags", "ResourceNotFound"),
            message_has("does not have authorization to perform action"),
            message_has("doesn't have authorization to perform action"),
        ),
    ),
    Signature(
        "source-image-missing",
        "the source version is not there, or not in this region",
        "The source version is not there, or not in the image template's region: correct the id, or replicate it.",
        docs.section("build-step-failed-for-the-image-version"),
        recognised_by=(
            message_has("Build (Shared Image Version) step failed", "ResourceNotFound"),
            message_has("Build (Managed Image) step failed", "ResourceNotFound"),
            message_has("PlatformImageNotFound"),
            deploying_has("PlatformImageNotFound"),
            message_has("BadPIRSource"),
        ),
    ),
    Signature(
        "part-refused",
        "the service does not take a source, customizer, validator or distributor",
        "Correct the part that the message names. AzureImageTemplateCreateOperator replaces the failed image template; "
        "who submits it without that deletes it first.",
        docs.IMAGE_TEMPLATES,
        recognised_by=tuple(
            Words((code,), places=frozenset({"creation"}))
            for code in (
                "BadSourceType",
                "BadManagedImageSource",
                "BadSharedImageVersionSource",
                "BadCustomizerType",
                "UnsupportedCustomizerType",
                "BadValidatorType",
                "UnsupportedValidatorType",
                "BadDistributeType",
                "BadSharedImageDistribute",
            )
        ),
        step="create",
    ),
    Signature(
        "script-unreachable",
        "the service could not download a script or file of the image template",
        "Check the address, that the service may read it, and that its TLS is of today; or use Azure storage.",
        docs.section("error-occurs-with-downloading-an-external-file-to-a-local-file"),
        NOT_KNOWN,
        recognised_by=(
            message_has("Downloading external file (", "failed"),
            message_has("NoCustomizerScript"),
            message_has("NoValidatorScript"),
        ),
        step="create",
    ),
    Signature(
        "staging-group-missing",
        "the staging resource group is gone, or cannot be used",
        "If somebody deleted the staging resource group, delete the image template and create it anew. One of your own "
        "must be empty, in the image template's region and subscription, and no other image template's.",
        docs.IMAGE_TEMPLATES,
        recognised_by=(
            message_has("ResourceGroupNotFound"),
            deploying_has("ResourceGroupNotFound"),
            message_has("BadStagingResourceGroup"),
        ),
    ),
    Signature(
        "container-instances-not-registered",
        "a resource provider is not registered",
        "Register the resource provider Microsoft.ContainerInstance in the subscription.",
        docs.section("azure-container-instances-provider-is-unregistered"),
        recognised_by=(message_has("Azure Container Instances provider not registered"),),
    ),
    Signature(
        "container-instances-quota",
        "the quota for Azure Container Instances is used up",
        "Run fewer builds at once, or raise the quota for Azure Container Instances.",
        docs.section("subscription-exceeded-the-azure-container-instances-quota"),
        LATER,
        recognised_by=(message_has("Azure Container Instances quota exceeded"),),
    ),
    Signature(
        "container-instances-rate",
        "too many builds began at once",
        "Start fewer builds at once.",
        docs.section("too-many-azure-container-instances-resources-are-deployed-within-a-period-of-time"),
        IN_A_WHILE,
        recognised_by=(message_has("Too many Azure Container Instances deployed within a period of time"),),
    ),
    Signature(
        "quota-exceeded",
        "the subscription's quota for cores or other resources is used up",
        "Wait until other machines are gone, use a smaller vmProfile.vmSize, or raise the quota in that region.",
        docs.CORE_QUOTA,
        LATER,
        recognised_by=(
            message_has("QuotaExceeded"),
            message_has("exceeding approved"),
            deploying_has("QuotaExceeded"),
            deploying_has("exceeding approved"),
        ),
        step="deploy",
    ),
    Signature(
        "capacity-missing",
        "Azure has no machine of that size left in the region or zone for now",
        "Try later, or choose another vmProfile.vmSize.",
        docs.ALLOCATION,
        LATER,
        recognised_by=(
            message_has("AllocationFailed"),
            deploying_has("AllocationFailed"),
            deploying_has("OverconstrainedAllocationRequest"),
        ),
        step="deploy",
    ),
    Signature(
        "vm-size-unavailable",
        "the subscription may not have a machine of that size in the region",
        "Choose another vmProfile.vmSize, or another region; `az vm list-skus` tells what there is.",
        docs.VM_SIZE,
        NOT_KNOWN,
        recognised_by=(message_has("SkuNotAvailable"), deploying_has("SkuNotAvailable")),
        step="deploy",
    ),
    Signature(
        "replication-timeout",
        "replication outlasted the build's time; the version may still appear",
        "Replication outlasted the build's time: raise buildTimeoutInMinutes, or replicate to fewer regions. "
        "The image version may still appear.",
        docs.GALLERY,
        recognised_by=(message_has("Error publishing MDI to", "context deadline exceeded"),),
        step="replicate",
    ),
)
