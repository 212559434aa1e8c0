"""Rules about the resource itself: its name, region, tags and identity, and the shape of all members."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import RESOURCE_MANAGER, SWAGGER, advice, service

RESOURCE = (
    service(
        "name-form",
        "The name has 1 to 64 letters, digits, dots, underscores and hyphens.",
        "Azure refuses any other name.",
        SWAGGER,
    ),
    service(
        "location-required",
        "The image template has a region.",
        "Azure Resource Manager refuses a resource without `location`.",
        SWAGGER,
    ),
    service(
        "identity-required",
        "The image template has an identity.",
        "Since 2020-02-14 the service reads sources and writes images with the identity of the image template.",
        is_warning_too=True,
    ),
    service(
        "identity-type",
        "The identity is user-assigned.",
        "The service knows no system-assigned identities.",
        SWAGGER,
    ),
    service(
        "identity-single",
        "There is exactly one identity.",
        "The service takes a single one; others, for the build VM itself, belong into "
        "`vmProfile.userAssignedIdentities`.",
    ),
    service(
        "resource-id-form",
        "A resource id has the form of its type.",
        "The service refuses an id with `ValidationFailed`, or fails while it creates the image template.",
    ),
    service(
        "tag-form",
        "There are at most 50 tags, of names with at most 512 and values with at most 256 characters.",
        "Azure refuses others, and names with one of `<>%&\\?/`.",
        RESOURCE_MANAGER,
    ),
    service(
        "tag-reserved",
        "`managedResourceTags` has none of the tags that the service sets itself.",
        "By `imageTemplateName` and `imageTemplateResourceGroupName` the service knows whose staging resource group it "
        "is, and fails where they are others.",
        severity="warning",
    ),
    advice(
        "region-form",
        "A region has the form of a region's name.",
        "Azure knows no region of another form.",
    ),
    advice(
        "region-unknown",
        "The name of a region is not nearly that of another one.",
        "It is most likely misspelt. A name that is near none may be of a new region, as may the next numbers of a "
        "known one, and is taken as it is.",
    ),
    service("member-required", "What the service requires is there.", "The service refuses the document.", SWAGGER),
    advice(
        "member-empty",
        "A required text is not empty.",
        "The schema lets an empty text pass, and the build has nothing to work with.",
        SWAGGER,
    ),
    service("member-type", "A value has the type of its member.", "The service refuses the document.", SWAGGER),
    service("member-value", "A value is one that the service knows.", "The service refuses the document.", SWAGGER),
    service("member-range", "A number is within its limits.", "The service refuses the document.", SWAGGER),
    service("member-form", "A name has the form that the service takes.", "The service refuses the document.", SWAGGER),
    service(
        "member-unknown",
        "Every member is known.",
        "Since api-version 2024-02-01 the service refuses unknown members; before, it ignored them, so that what was "
        "meant did not happen.",
    ),
    service(
        "member-case",
        "Every member is written in the service's letter case.",
        "Since api-version 2024-02-01 letter case counts; before, it did not.",
    ),
    advice(
        "spelling-outdated",
        "The document is written as its api-version has it.",
        "It is submitted in the current spelling; whoever deploys it otherwise is refused, or ignored.",
    ),
    service(
        "member-version",
        "The api-version has every member, in this spelling.",
        "Since api-version 2024-02-01 the service refuses what it does not know; before, it ignored it, so that what "
        "was meant did not happen.",
        SWAGGER,
    ),
    service(
        "kind-unknown",
        "Sources, customizers, validators, distributors and versionings are of a known kind, in its letter case.",
        "The service refuses the document with `ValidationFailed`, also in old api-versions.",
        SWAGGER,
    ),
    service(
        "kind-version",
        "The api-version has the kind.",
        "The service refuses the document with `ValidationFailed`.",
        SWAGGER,
    ),
    service(
        "api-version-unknown",
        "The api-version is one of the service's.",
        "Azure Resource Manager refuses any other with `NoRegisteredProviderFound`.",
        SWAGGER,
    ),
)
