"""Work that is done at one instant and ends an operation: a creation, a deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.services.image_builder.messages import GENERIC

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from aib_emulator.arm.operations import Operation

OPERATION_CODES = {"ServerError": "InternalOperationError"}
"""What the operation says where it differs from the image template."""

NESTING = {
    "code": "ResourceDeploymentFailure",
    "message": "The resource operation completed with terminal provisioning state 'Failed'.",
}


class CreationError(Exception):
    """The creation fails.

    :param code: the service's `provisioningErrorCode`
    :param message: its sentence
    :param operation_code: the code that the operation shows, where it differs
    """

    def __init__(self, code: str, message: str, *, operation_code: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.operation_code = operation_code or OPERATION_CODES.get(code, code)
        self.message = message


class Pending:
    """Do one thing at an instant, and then end an operation; a Process of the schedule.

    :param at: when it is done
    :param operation: what pollers ask about
    :param action: what is done; may raise CreationError
    :param when_failed: told of an error
    :param when_over: told at the end, whatever it was
    :param is_nested: whether the operation's error lies in the details of another one
    """

    def __init__(
        self,
        at: datetime,
        operation: Operation,
        action: Callable[[], Awaitable[None]],
        when_failed: Callable[[CreationError], None],
        when_over: Callable[[], None],
        *,
        is_nested: bool = False,
    ) -> None:
        self._at: datetime | None = at
        self._operation = operation
        self._action = action
        self._when_failed = when_failed
        self._when_over = when_over
        self._is_nested = is_nested

    def next_due(self) -> datetime | None:
        """Return when it is done; None when it is over."""
        return self._at

    async def perform_next(self) -> None:
        """Do it, and end the operation."""
        if self._at is None:
            return
        at = self._at
        try:
            await self._action()
        except CreationError as error:
            self._fail(at, error)
        else:
            self._operation.end(at)
        self._at = None
        self._when_over()

    def break_off(self, error: Exception) -> None:
        """End as the service does when it fails itself."""
        del error
        if self._at is not None:
            self._fail(self._at, CreationError("ServerError", GENERIC))
        self._at = None
        self._when_over()

    def _fail(self, at: datetime, error: CreationError) -> None:
        self._when_failed(error)
        inner = {"code": error.operation_code, "message": error.message}
        self._operation.end(at, "Failed", {**NESTING, "details": [inner]} if self._is_nested else inner)
