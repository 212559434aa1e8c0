"""What an emulator is told before it starts; the only reader of the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aib_emulator.choices import ChoiceError, check_choices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MEBIBYTE = 1024 * 1024
LOOPBACK = "127.0.0.1"
"""The only address that an emulator listens on: its secrets are well known."""
SHUTDOWN_SECONDS = 0.5
"""How long calls that are being answered may go on when the emulator stops, and again once they are told to end."""
HIGHEST_PORT = 65535
LARGEST_VHD_BYTES = 8 * 1024**4 - 512
"""That a page blob has room for, with the footer behind it."""
FASTEST = 1_000_000.0
"""Emulated seconds per second; a year then passes in half a minute."""

LOG_FORMS = ("new", "old")
"""Of the customization log: as since autumn 2023, and as before."""


class EmulatorSettingsError(ValueError):
    """A setting has a value that the emulator must not or cannot work with."""


@dataclass(frozen=True)
class EmulatorSettings:
    """Fix everything that one emulator is told.

    :param arm_port: port of Entra, Resource Manager and the control door; 0 takes a free one
    :param blob_port: port of the blob endpoint; 0 takes a free one
    :param data_dir: folder for everything that is kept from one start to the next; None keeps nothing
    :param time_scale: how many emulated seconds pass in a real one; None for one, or as before in a folder with state
    :param retry_after: seconds to send as `Retry-After` with unfinished operations; None sends none, as recorded
    :param vhd_size_bytes: virtual size of the VHDs that builds leave; a multiple of 512, footer not included
    :param vhd_allocated_bytes: how much of a VHD holds data
    :param list_page_size: resources on one page of a list
    :param missing_rights_fail: `creation` or `run`: what fails when an image template's identity lacks a right
    :param trigger_failure_limit: after how many failed runs in a row triggers start none until one succeeds
    :param triggers_in_a_region: how many triggers a subscription may have in one region
    :param log_form: how builds write their logs: `new` as since autumn 2023, `old` as before
    :param choices: answers that nobody knows of the service, where they differ from the usual ones; see `choices.py`
    :param client_secret: the secret that signs in; everything else that identifies the world is in `docs/emulator.md`
    """

    arm_port: int = 0
    blob_port: int = 0
    data_dir: Path | None = None
    time_scale: float | None = None
    retry_after: int | None = None
    vhd_size_bytes: int = 2048 * MEBIBYTE
    vhd_allocated_bytes: int = 24 * MEBIBYTE
    list_page_size: int = 100
    missing_rights_fail: Literal["creation", "run"] = "creation"
    trigger_failure_limit: int = 3
    triggers_in_a_region: int = 100
    log_form: str = "new"
    choices: Mapping[str, str] = field(default_factory=dict)
    tenant_id: str = "aaaaaaaa-0000-4000-8000-000000000001"
    subscription_id: str = "aaaaaaaa-0000-4000-8000-000000000002"
    client_id: str = "aaaaaaaa-0000-4000-8000-000000000003"
    client_object_id: str = "aaaaaaaa-0000-4000-8000-000000000004"
    client_secret: str = field(default="emulated-secret~1", repr=False)
    location: str = "eastus"

    @property
    def starting_scale(self) -> float:
        """How many emulated seconds pass in a real one, where nothing is kept of an earlier start."""
        return 1.0 if self.time_scale is None else self.time_scale

    def __post_init__(self) -> None:
        """Refuse what must not be."""
        _check_ports({"arm_port": self.arm_port, "blob_port": self.blob_port})
        if self.time_scale is not None and not 0 < self.time_scale <= FASTEST:
            raise EmulatorSettingsError(f"time_scale={self.time_scale!r} must be above 0, and at most {FASTEST:.0f}.")
        if self.retry_after is not None and self.retry_after < 0:
            raise EmulatorSettingsError(f"retry_after={self.retry_after!r} must be at least 0 seconds.")
        if self.missing_rights_fail not in {"creation", "run"}:
            raise EmulatorSettingsError(f"missing_rights_fail={self.missing_rights_fail!r}: use 'creation' or 'run'.")
        if self.list_page_size < 1:
            raise EmulatorSettingsError(f"list_page_size={self.list_page_size!r} must be at least 1.")
        if self.trigger_failure_limit < 1:
            raise EmulatorSettingsError(f"trigger_failure_limit={self.trigger_failure_limit!r} must be at least 1.")
        if self.triggers_in_a_region < 1:
            raise EmulatorSettingsError(f"triggers_in_a_region={self.triggers_in_a_region!r} must be at least 1.")
        _check_size(self.vhd_size_bytes)
        if self.log_form not in LOG_FORMS:
            raise EmulatorSettingsError(f"log_form={self.log_form!r}: use one of {', '.join(LOG_FORMS)}.")
        try:
            check_choices(self.choices)
        except ChoiceError as error:
            raise EmulatorSettingsError(str(error)) from error

    @property
    def retry_headers(self) -> dict[str, str]:
        """What an answer about an unfinished operation says of the next look."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def _check_size(size: int) -> None:
    if size <= 0 or size % 512 or size > LARGEST_VHD_BYTES:
        raise EmulatorSettingsError(
            f"vhd_size_bytes={size!r} must be a positive multiple of 512, and at most {LARGEST_VHD_BYTES}."
        )


def _check_ports(ports: Mapping[str, int]) -> None:
    for name, port in ports.items():
        if not 0 <= port <= HIGHEST_PORT:
            raise EmulatorSettingsError(f"{name}={port!r} must be from 0, for a free one, to {HIGHEST_PORT}.")
