"""The table of log lines that look like a failure and are none: they stand in good builds too."""

from __future__ import annotations

# Part of the line, and why it says nothing. The service's and Packer's own first.
HARMLESS: tuple[tuple[str, str], ...] = (
    ("Builds finished but no artifacts were created", "AIB makes the image itself, from a snapshot"),
    ("Skipping image creation", "as above"),
    ("Error deleting resource. Will retry.", "the order of the clean-up; it is tried again"),
    ("PublicIPAddressCannotBeDeleted", "as above"),
    ("InUseNetworkSecurityGroupCannotBeDeleted", "as above"),
    ("NicInUseWithPrivateEndpoint", "as above; where it never ends, the signature of that name is about it"),
    ("A system shutdown is in progress.(1115)", "Packer asks whether Windows restarts, and it does"),
    ("Retryable error:", "it is tried again"),
    ("TCP connection to SSH ip/port failed", "the build VM has not started yet"),
    ("bytes written for 'stderr'", "a count, often of zero"),
    ("debconf: unable to initialize frontend", "package scripts have no terminal in a build"),
    ("debconf: falling back to frontend", "as above"),
    ("debconf: delaying package configuration", "as above"),
    ("dpkg-preconfigure: unable to re-open stdin", "as above"),
    ("unable to re-open stdin: No file or directory", "as above"),
    ("invoke-rc.d: could not determine current runlevel", "a build VM may have none"),
    ("invoke-rc.d: policy-rc.d denied execution", "services are not started while they are installed"),
    ("Running pip as the 'root' user can result in broken permissions", "a warning"),
    ("root password will be disabled", "the service's own deprovision step announces itself"),
)


def is_harmless(text: str) -> bool:
    """Whether a line looks like a failure and is none."""
    return any(words in text for words, _ in HARMLESS)
