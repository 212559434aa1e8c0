"""Rules about the build: its time, its VM, the staging resource group, and what is left."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import REFERENCE, SWAGGER, TROUBLE, advice, service

BUILD = (
    service(
        "timeout-too-short",
        "`buildTimeoutInMinutes` is 0 or at least 6.",
        "With 1 to 5 the token of the build expires before it begins, and every build fails.",
        TROUBLE,
    ),
    advice(
        "timeout-windows",
        "A Windows image has at least 60 minutes.",
        "Updates and restarts take long; the build is ended in the middle.",
    ),
    service(
        "network-subnet-missing",
        "`containerInstanceSubnetId` stands beside `subnetId` only.",
        "The service refuses the document.",
        SWAGGER,
    ),
    service(
        "network-proxy-unused",
        "There is no `proxyVmSize` beside `containerInstanceSubnetId`.",
        "The service refuses the document.",
        SWAGGER,
    ),
    service(
        "network-subnets",
        "`containerInstanceSubnetId` is another subnet of the same virtual network as `subnetId`.",
        "It is delegated to container instances, so the build VM cannot be in it, and must reach it.",
    ),
    advice(
        "vm-size-form",
        "The size of a VM has the form of a size.",
        "Azure knows no size of another form.",
    ),
    advice(
        "vm-size-small",
        "Windows is built on at least two cores.",
        "Updates exhaust a smaller VM, and the connection to it ends. Where nothing is said, images of generation 1 "
        "are built on Standard_D1_v2, with one core.",
        TROUBLE,
    ),
    advice(
        "os-disk-size",
        "The size of the system disk is one that the image can have.",
        "A disk can only become larger than the source's.",
        REFERENCE,
    ),
    service(
        "staging-name-form",
        "The name of the staging resource group is that of a resource group.",
        "The service refuses any other name.",
    ),
    service(
        "staging-own-group",
        "The staging resource group is not the image template's own.",
        "It must be empty, and what is in it goes with the image template.",
        severity="warning",
    ),
    service(
        "staging-subscription",
        "The staging resource group is in the subscription of the image template.",
        "The service refuses another one.",
        SWAGGER,
        severity="warning",
    ),
    advice(
        "auto-run",
        "The image template does not run by itself when it is created.",
        "A DAG that creates and runs it finds a run that it did not start.",
        REFERENCE,
    ),
    advice(
        "error-handling-abort",
        "What a failed build leaves is removed.",
        "With `abort` its VM, disks and network stay in the subscription until somebody removes them.",
        REFERENCE,
    ),
)
