"""What a request sends: read once, and refused in Resource Manager's words where it cannot be read."""

from __future__ import annotations

from aiohttp import web

from aib_emulator.arm.errors import ArmError

LARGEST_BODY = 64 * 1024 * 1024


class Content:
    """Read what a request sends at the first time that somebody asks; what could not be read is refused for good.

    :param request: as it came
    """

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._refusal: ArmError | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it could not be read, so that nobody knows where on the connection the next request begins."""
        return self._refusal is not None

    async def read(self) -> bytes:
        """Return all of it, or raise the refusal."""
        if self._refusal is not None:
            raise self._refusal
        try:
            return await self._request.read()
        except web.HTTPRequestEntityTooLarge:
            message = f"The request content is larger than {LARGEST_BODY} bytes."
            self._refusal = ArmError(413, "RequestContentTooLarge", message)
        except web.RequestPayloadError:
            message = "The request content could not be read as its Content-Encoding says."
            self._refusal = ArmError(400, "InvalidRequestContent", message)
        raise self._refusal

    async def form(self) -> bytes:
        """Return what a sign-in sends; nothing where that cannot be read, which is refused when it is answered."""
        try:
            return await self.read()
        except (ArmError, ConnectionError):
            return b""
