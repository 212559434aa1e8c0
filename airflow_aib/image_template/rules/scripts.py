"""Rules about inline scripts: secrets, commands that end a build, and the deprovisioning at the end."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import REFERENCE, TROUBLE, advice

SCRIPTS = (
    advice(
        "secret-in-text",
        "No secret stands in the image template.",
        "Azure keeps the document, shows it to everyone who may read the image template, and writes its commands into "
        "the customization log. A secret that was written down is known: take it back.",
        REFERENCE,
        severity="error",
    ),
    advice(
        "secret-likely",
        "Nothing that looks like a password or token stands in the image template.",
        "Everyone who may read the image template sees it.",
        REFERENCE,
    ),
    advice(
        "secret-parameter",
        "No value of a secure parameter stands in a script, command, address or tag.",
        "It is secure only on its way: everyone who may read the image template sees it.",
        REFERENCE,
    ),
    advice(
        "script-blank",
        "A script does something.",
        "A step of blanks and comments is most likely a leftover.",
    ),
    advice(
        "command-asks",
        "A package manager is told not to ask.",
        "Nobody answers: the command gives up, or waits until the build is ended.",
    ),
    advice(
        "command-sudo",
        "What only root may do is done with sudo.",
        "Scripts run as an ordinary user, and the command fails.",
        REFERENCE,
    ),
    advice(
        "script-power-off",
        "No script powers the build VM off.",
        "It does not come back, and the build fails when it has waited long enough.",
    ),
    advice(
        "script-restart",
        "Windows restarts in a WindowsRestart customizer, not in a script.",
        "The script is cut off, and the next step begins while Windows goes down.",
        REFERENCE,
    ),
    advice(
        "restart-last",
        "Nothing follows a restart in the same Linux script.",
        "It races with the restart and may be cut off. There is no restart customizer for Linux; the service connects "
        "again for the next step.",
        REFERENCE,
    ),
    advice(
        "connection-closed",
        "No script stops SSH or WinRM.",
        "The service runs every step over that connection, and loses the build.",
        TROUBLE,
    ),
    advice(
        "deprovision-path",
        "A deprovisioning script is `/tmp/DeprovisioningScript.sh` or `c:\\DeprovisioningScript.ps1`.",
        "The service looks nowhere else, runs its own commands, and the script has no effect.",
        REFERENCE,
    ),
    advice(
        "deprovision-removed",
        "What is written for the deprovisioning stays until the end.",
        "The service finds no script and runs its own commands.",
        REFERENCE,
    ),
    advice(
        "deprovision-twice",
        "No script generalizes the image itself.",
        "The service does it after the last customizer; done before, it takes away what the build still needs.",
        REFERENCE,
    ),
)
