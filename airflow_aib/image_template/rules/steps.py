"""Rules about customizers, validators and what they fetch."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import REFERENCE, SWAGGER, advice, service

STEPS = (
    service(
        "customize-name-unique",
        "No two customizers share a name.",
        "The reference demands it, and a log shows which of them failed by nothing else; that the service refuses the "
        "document was never seen.",
        severity="warning",
    ),
    service(
        "script-or-inline",
        "A script step has exactly one of `scriptUri` and `inline`.",
        "The service refuses a step with neither (`NoCustomizerScript`, `NoValidatorScript`). Both are documented as "
        "alternatives; what is run where both stand is not known, so that this is a warning.",
        is_warning_too=True,
    ),
    advice(
        "address-form",
        "Addresses of scripts and files are http addresses.",
        "The service downloads every script while it creates the image template, and fails if it cannot.",
    ),
    service(
        "checksum-form",
        "A checksum has 64 hexadecimal digits.",
        "The service compares it with the SHA-256 of what it downloads: no file can match another text.",
    ),
    advice(
        "step-system",
        "A step works on the system that the source seems to have.",
        "Shell runs on Linux only; WindowsRestart and WindowsUpdate on Windows only. PowerShell is documented for both "
        "systems, and passes on either.",
    ),
    advice(
        "elevated-system",
        "`runElevated` is for Windows.",
        "Linux knows no elevation; there, a script writes sudo.",
    ),
    advice(
        "file-incomplete",
        "A File step has `sourceUri` and `destination`.",
        "The schema lets it pass, and there is nothing to copy, or nowhere to copy it to.",
        SWAGGER,
    ),
    advice(
        "file-destination",
        "On Linux a File step writes below /tmp; everywhere its destination is a whole path with a file name.",
        "The service can write nowhere else, and creates no folders.",
        REFERENCE,
    ),
    service(
        "restart-timeout-form",
        "A restart timeout is a number and a unit, as 5m or 2h.",
        "The build fails when it reaches the step.",
    ),
    advice(
        "restart-timeout-long",
        "A restart has less time than the whole build.",
        "The build is ended before the restart's own limit says what is wrong.",
    ),
    advice(
        "update-filter",
        "A filter of updates begins with `include:` or `exclude:`.",
        "The step knows no other filters.",
        "packer-plugin-windows-update",
    ),
    advice("update-limit", "No more than 1000 updates are asked for.", "No more are installed."),
    service(
        "run-as-system",
        "`runAsSystem` stands beside `runElevated` only.",
        "The schema's description demands it; that the service refuses the document was never seen.",
        SWAGGER,
        severity="warning",
    ),
    advice(
        "address-insecure",
        "Scripts and files are fetched over https.",
        "Whoever sits on the way can change what comes into the image.",
    ),
    advice(
        "checksum-case",
        "A checksum is in small letters.",
        "The service asks for it: another spelling may not match.",
        REFERENCE,
    ),
    advice(
        "checksum-alone",
        "A checksum stands beside the address that it is for.",
        "Nothing is compared with it.",
    ),
    advice(
        "file-large",
        "A File step fetches small files, below 20 MB.",
        "Larger ones take hours. Images of disks, installation media and Windows updates are mostly larger.",
        REFERENCE,
    ),
    advice(
        "validate-source-only",
        "There are no customizers where only the source is validated.",
        "They do not run.",
        REFERENCE,
    ),
    advice(
        "validate-nothing",
        "Where validation is asked for, there are validators.",
        "Nothing is validated.",
    ),
    advice(
        "optimize-script",
        "Where an image is optimized for a workload, there is a script of that workload.",
        "There is nothing to optimize for.",
        SWAGGER,
    ),
)
