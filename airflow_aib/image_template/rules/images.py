"""Rules about images: from which one a build starts, and where the built one goes."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import GALLERY, SWAGGER, TRIGGERS, advice, service

IMAGES = (
    service(
        "source-iso-retired",
        "The source is no ISO.",
        "The service takes no image templates with ISO sources since 31 March 2020, and builds none since "
        "30 April 2020.",
    ),
    advice(
        "source-incomplete",
        "A platform image names publisher, offer and sku.",
        "The schema lets it pass, and the marketplace has no image without them.",
        SWAGGER,
    ),
    advice(
        "source-version",
        "A platform image names a version, or `latest`.",
        "What the service builds from otherwise is not documented.",
    ),
    advice(
        "source-version-form",
        "The version of a platform image is `latest`, or numbers with dots.",
        "No other version can be found.",
    ),
    service(
        "trigger-source",
        "Where a trigger stands in the same file, the source is a platform or gallery image at `latest`.",
        "The service refuses the trigger.",
        TRIGGERS,
        severity="warning",
    ),
    service(
        "source-is-target",
        "The image is not built from its own definition.",
        "Each build goes on from the one before, until Windows can be generalized no more; a trigger is refused.",
        TRIGGERS,
        severity="warning",
    ),
    service(
        "distribute-empty",
        "The image goes somewhere.",
        "The service refuses a document without distributors, unless it only validates its source.",
        SWAGGER,
    ),
    service(
        "run-output-name-unique",
        "No two distributors share a run output name.",
        "Run outputs are resources that are found by this name.",
    ),
    service(
        "regions-twice",
        "There are not both `replicationRegions` and `targetRegions`.",
        "The service refuses the document.",
        SWAGGER,
    ),
    advice(
        "storage-account-type",
        "`storageAccountType` stands beside `replicationRegions`.",
        "It counts nowhere else; each of `targetRegions` has its own.",
        SWAGGER,
    ),
    advice(
        "vhd-uri-form",
        "The `uri` of a VHD is the address of a blob.",
        "The distribution fails at the end of the build.",
    ),
    advice(
        "distribute-twice",
        "No two distributors make the same image.",
        "One of them overwrites the other, or fails.",
    ),
    advice(
        "version-pinned",
        "A gallery image is distributed without a version of its own.",
        "A version can be made once: the second build fails at its end. A trigger is refused.",
        TRIGGERS,
    ),
    service(
        "gallery-name-form",
        "The name of a gallery is letters, digits, dots and underscores.",
        "Azure lets nobody make a gallery of another name, so there is none.",
        GALLERY,
        severity="warning",
    ),
    service(
        "gallery-version-form",
        "The version of a gallery image is three numbers, of a source also `latest`.",
        "The gallery takes no other version, and the distribution fails.",
        GALLERY,
        severity="warning",
    ),
    advice(
        "regions-deprecated",
        "Regions stand in `targetRegions`.",
        "`replicationRegions` is deprecated since api-version 2022-07-01.",
        SWAGGER,
    ),
    service(
        "regions-gallery",
        "The region of the gallery is among the regions.",
        "The service demands it. It is looked at where the gallery stands in the same deployment file.",
        severity="warning",
    ),
    advice(
        "region-repeated",
        "No region stands twice among the regions of a distributor.",
        "The gallery refuses the version at the end of the build, or ignores one of them.",
        GALLERY,
    ),
)
