"""Rules about reading and filling in a document, and about the rules that it switches off."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import advice, service

READING = (
    service(
        "document-unreadable",
        "The file is JSON or YAML and holds an image template.",
        "Nothing can be submitted from a file that cannot be read.",
    ),
    service(
        "document-unrenderable",
        "Parameters, placeholders and expressions can be filled in.",
        "Azure would refuse the deployment, or receive a body with holes.",
        "Azure Resource Manager template functions",
    ),
    advice(
        "document-type",
        "A resource in a folder that looks like an image template has the type of one.",
        "A misspelt or missing type keeps it out of the check of the folder, which then passes.",
    ),
    advice(
        "document-nested",
        "No image template stands in a nested deployment.",
        "Only Azure knows what the outer deployment passes to the inner one, so the image template is not checked.",
    ),
    advice(
        "key-twice",
        "No key stands twice in one object.",
        "Only the last one counts, and the other is most likely a mistake.",
    ),
    advice(
        "member-left-out",
        "Only location, tags, identity and properties are submitted.",
        "Whatever else stands beside them in the resource has no effect.",
    ),
    advice(
        "parameter-unused",
        "The document asks for every value that is passed.",
        "A value that nothing asks for is most likely misspelt.",
    ),
    advice(
        "parameter-missing",
        "Every parameter and placeholder has a value when an image template is checked.",
        "What depends on it cannot be checked; when it is submitted, a missing value is an error.",
    ),
    advice(
        "parameter-default",
        "The default of a parameter has the type and the limits that it declares.",
        "Azure refuses the deployment where nobody passes another value, and so does the create operator.",
        "Azure Resource Manager: parameters in templates",
    ),
    advice(
        "needs-azure",
        "No expression asks for what only Azure knows.",
        "It cannot be checked; when it is submitted by an operator, it is an error: pass the value as a parameter.",
    ),
    advice(
        "resource-copy",
        "No copy loop stands around the image template.",
        "It makes several image templates, and an operator creates one. Write one, and map the task over what differs.",
    ),
    advice(
        "placeholder-left",
        "No script line and no tag is nothing but a placeholder without a value.",
        "The text would be taken literally, angle brackets and all.",
    ),
    advice(
        "switch-unknown",
        "What is switched off is a rule.",
        "A misspelt rule switches nothing off.",
    ),
    advice(
        "switch-unread",
        "What is meant to switch a rule off has the form that is understood.",
        "A misspelt comment switches nothing off.",
    ),
    advice(
        "switch-inside",
        "What switches a rule off stands in a comment of the file, and not inside a script.",
        "A comment inside a script belongs to the script, and switches nothing off.",
    ),
    advice(
        "switch-reason",
        "A rule is switched off with a reason.",
        "Whoever reads it next cannot tell whether it still holds.",
    ),
    advice(
        "switch-unused",
        "A rule that is switched off would have something to say.",
        "It would hide what is found there later.",
    ),
)
