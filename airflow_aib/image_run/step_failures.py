"""The classes of failures that are known by where they came about, or by how the run ended, and by nothing else."""

from __future__ import annotations

from airflow_aib.image_run import documentation as docs
from airflow_aib.image_run.failure_signature import IN_A_WHILE, NEVER, NOT_KNOWN, SOON, Signature

UNKNOWN = Signature(
    "unknown",
    "nothing of this failure is recognised",
    "Nothing of this failure is recognised: read the service's message and the end of the log.",
    docs.TROUBLESHOOTING,
    NOT_KNOWN,
)
NO_FAILURE = Signature("no-failure", "the run went well", "Nothing needs to be done.", docs.TROUBLESHOOTING, NOT_KNOWN)
CANCELED = Signature(
    "canceled",
    "somebody cancelled the run",
    "Somebody cancelled the run: start it again if that was a mistake.",
    docs.TROUBLESHOOTING,
    NOT_KNOWN,
)
CANCELING = Signature(
    "canceling",
    "the run is being cancelled; when that takes hours, it hangs",
    "A cancel takes a minute or two. After an hour only Azure's support can end it; meanwhile build with an image "
    "template of another name.",
    docs.TROUBLESHOOTING,
    NOT_KNOWN,
)
STILL_RUNNING = Signature(
    "still-running",
    "the run did not end within its time and still goes on",
    "Find in the log what hangs or takes long; correct it, raise buildTimeoutInMinutes, or use a larger VM.",
    docs.TIMEOUT,
    NOT_KNOWN,
)
INTERRUPTED = Signature(
    "interrupted",
    "the log ends with an interruption: it was cancelled, or its time was over",
    "The build was ended from outside: somebody cancelled it, or buildTimeoutInMinutes was over. The image template's "
    "lastRunStatus says which.",
    docs.TIMEOUT,
    NOT_KNOWN,
)
LOG_UNFINISHED = Signature(
    "log-unfinished",
    "the log ends in the midst of the build",
    "The log ends in the midst of the build: it goes on, or hung until its timeout. The image template's lastRunStatus "
    "says which.",
    docs.TIMEOUT,
    NOT_KNOWN,
)
PARTLY_DISTRIBUTED = Signature(
    "distribution-partly-failed",
    "some distributors have their image, others not",
    "Some distributors have their image, others not: compare run outputs with the image template's distributors.",
    docs.GALLERY,
    NOT_KNOWN,
    step="distribute",
)
TIMED_OUT = Signature(
    "build-timeout",
    "the build took longer than `buildTimeoutInMinutes`, and there is no log that says where",
    "Find in the log what hangs or takes long; correct it, raise buildTimeoutInMinutes, or use a larger VM.",
    docs.TIMEOUT,
    NOT_KNOWN,
)

EXECUTION_TIMEOUT = Signature(
    "execution-timeout",
    "the task's `execution_timeout` was over before the run",
    "The task's `execution_timeout` was over before the run. Raise it, or leave it out: `buildTimeoutInMinutes` and "
    "`run_allowance` bound a run too.",
    docs.TIMEOUT,
    NOT_KNOWN,
)

_HANGS_AT_THE_END = "All customizers and the capture went well. Raise buildTimeoutInMinutes, "

# By the step in which the build was when its time was over.
TIMED_OUT_IN: dict[str, Signature] = {
    "deploy": Signature(
        "deployment-timeout",
        "the time was over before the build VM was there",
        "Azure had not made the build VM when the time was over: look into the staging resource group's deployments.",
        docs.TIMEOUT,
        SOON,
    ),
    "connect": Signature(
        "connection-timeout",
        "the time was over before the build VM could be reached",
        "The build VM never answered: check the subnet's rules for ports 22 and 5986, and whether the source is a "
        "hardened image.",
        docs.NETWORKING,
        NOT_KNOWN,
    ),
    "customize": Signature(
        "customizer-timeout",
        "a customizer took longer than `buildTimeoutInMinutes` left",
        "Find in the customizer's output what waits or takes long, a question for instance; correct it, raise "
        "buildTimeoutInMinutes, or use a larger VM. Or it has cut its own connection: leave ports 22 and 5986 alone.",
        docs.TIMEOUT,
        NEVER,
    ),
    "deprovision": Signature(
        "deprovision-timeout",
        "all customizers succeeded, generalising the machine took too long",
        "Generalising the machine did not end: read the log's end, where sysprep or waagent says for what it waits. "
        "Where it repeats IMAGE_STATE_UNDEPLOYABLE, it may have begun before the agent was ready: use a larger "
        "vmProfile.vmSize, or sleep 60 s in a last customizer.",
        docs.SYSPREP,
        NOT_KNOWN,
    ),
    "capture": Signature(
        "capture-timeout",
        "all customizers succeeded, capturing the machine took too long",
        "Capturing the machine did not end: run again, or raise buildTimeoutInMinutes.",
        docs.TIMEOUT,
        SOON,
    ),
    "clean-up": Signature(
        "clean-up-timeout",
        "the build was done, and its resources could not be cleared away in time",
        "The build's resources could not be cleared away in time: look what in the staging resource group is in use.",
        docs.section("resource-deletion-errors-appear"),
        SOON,
    ),
    "validate": Signature(
        "validator-timeout",
        "a validator took longer than `buildTimeoutInMinutes` left",
        "Find in the validation log what waits or takes long; correct it, or raise buildTimeoutInMinutes.",
        docs.TIMEOUT,
        NEVER,
    ),
    "distribute": Signature(
        "distribution-timeout",
        "the image was built, and distributing it took too long; it may still appear",
        f"{_HANGS_AT_THE_END}or distribute to less. The image may still appear.",
        docs.GALLERY,
        NEVER,
    ),
}

# By the step in which the log shows that the build failed.
FAILED_IN: dict[str, Signature] = {
    "deploy": Signature(
        "build-vm-not-ready",
        "no customizer had begun: the build VM could not be made or reached",
        "No customizer had begun: the build VM could not be made or reached. Read the errors in the log.",
        docs.TROUBLESHOOTING,
        SOON,
    ),
    "customize": Signature(
        "customizer-failed",
        "a customizer ended with an error",
        "Read the customizer's output and correct it.",
        docs.SCRIPTS,
        NEVER,
    ),
    "deprovision": Signature(
        "deprovision-failed",
        "all customizers succeeded, generalising the machine failed",
        "All customizers succeeded, generalising the machine failed: look whether one of them replaces or deletes "
        "/tmp/DeprovisioningScript.sh or c:\\DeprovisioningScript.ps1, or what it calls.",
        docs.GENERALIZE,
        NEVER,
    ),
    "capture": Signature(
        "capture-failed",
        "capturing the machine failed",
        "All customizers succeeded, capturing the machine failed: read the errors in the log.",
        docs.TROUBLESHOOTING,
        IN_A_WHILE,
    ),
    "validate": Signature(
        "validator-failed",
        "a validator ended with an error",
        "The image was built, and a validator refuses it: read the validation log, and correct image or validator.",
        docs.IMAGE_TEMPLATES,
        NEVER,
    ),
}
FAILED_IN |= {"connect": FAILED_IN["deploy"], "clean-up": FAILED_IN["capture"], "end": FAILED_IN["capture"]}

# What a shell's or Windows' exit code adds to the remedy.
EXIT_CODE_REMEDIES: dict[int, str] = {
    126: "Exit code 126: a file is there, and may not be executed.",
    127: "Exit code 127: a command is not there.",
    137: "Exit code 137: it was killed, mostly since the memory was used up; use a larger vmProfile.vmSize.",
    1603: "Exit code 1603: an MSI package failed; have msiexec write a log (/l*v), and show its end.",
    1618: "Exit code 1618: another installation is going on; wait for it.",
    1641: "Exit code 1641: the installer restarts Windows; suppress that, and use a WindowsRestart customizer.",
    3010: "Exit code 3010: the installation went well and wants a restart; have the script take it for success, and "
    "use a WindowsRestart customizer.",
}

OUTCOMES: tuple[Signature, ...] = (
    UNKNOWN,
    NO_FAILURE,
    CANCELED,
    CANCELING,
    STILL_RUNNING,
    INTERRUPTED,
    LOG_UNFINISHED,
    PARTLY_DISTRIBUTED,
    TIMED_OUT,
    EXECUTION_TIMEOUT,
)
