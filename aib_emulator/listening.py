"""Listens on a port, and says which option to change where somebody else has it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.web import BaseSite


class PortTakenError(OSError):
    """Somebody else listens on the port that the emulator is told to take."""


async def listen(site: BaseSite, port: int, option: str) -> None:
    """Start a site.

    :param site: what is to listen
    :param port: where it will
    :param option: of the command line, which names that port
    """
    try:
        await site.start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTakenError(
            f"Port {port} ({option}) is taken. Give another one: 0 takes a free one, or, with a data folder that was "
            "used before, the one of then."
        ) from error
