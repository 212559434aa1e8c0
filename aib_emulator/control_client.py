"""A client of the control door, for tests and scripts."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 60.0


class ControlError(HTTPError):
    """The control door has refused a call; the text says why and what to do."""

    def __init__(self, refusal: HTTPError) -> None:
        super().__init__(refusal.url, refusal.code, str(refusal.reason), refusal.headers, refusal.fp)
        self.error_code, self.message = _code_and_message(refusal.read())

    def __str__(self) -> str:
        """Give the status, and the code and message of the answer."""
        said = ": ".join(part for part in (self.error_code, self.message) if part)
        return f"HTTP {self.code} {said or self.reason}"


def _code_and_message(content: bytes) -> tuple[str, str]:
    try:
        error = json.loads(content)["error"]
        return str(error["code"]), str(error["message"])
    except (ValueError, LookupError, TypeError):
        return "", content.decode(errors="replace").strip()


class ControlClient:
    """Speak to the control door of an emulator; every call blocks.

    :param control_url: address of the control door
    :param ca_file: the emulator's certificate
    """

    def __init__(self, control_url: str, ca_file: Path) -> None:
        self._url = control_url
        context = ssl.create_default_context(cafile=ca_file)
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))

    def reset(self) -> None:
        """Forget everything and furnish the start world again."""
        self._call("POST", "/reset", {})

    def clock(self) -> dict[str, Any]:
        """Return the emulated instant and how fast it goes."""
        return self._call("GET", "/clock")

    def set_scale(self, scale: float) -> None:
        """Set how fast the clock goes; 0 stops it."""
        self._call("PUT", "/clock", {"scale": scale})

    def set_skew(self, seconds: float) -> None:
        """Let the service's clocks be ahead of this one by so many seconds; negative ones let them be behind."""
        self._call("PUT", "/clock", {"skew": seconds})

    def advance(self, seconds: float) -> None:
        """Put the clock forward; everything due by then has happened when this returns."""
        self._call("POST", "/clock/advance", {"seconds": seconds})

    def plan_fault(self, **fault: Any) -> dict[str, Any]:
        """Plan a fault of the transport, and return it with its `fault_id`; see `aib_emulator.faults.Fault`."""
        return self._call("POST", "/faults", fault)

    def faults(self) -> list[dict[str, Any]]:
        """Return the planned faults, used up or not; `struck` tells how many calls each has struck."""
        return list(self._call("GET", "/faults")["value"])

    def pending_faults(self) -> list[dict[str, Any]]:
        """Return the planned faults that have strikes left."""
        return [fault for fault in self.faults() if fault["count"] is None or fault["count"] > 0]

    def remove_fault(self, fault_id: str) -> None:
        """Forget one planned fault."""
        self._call("DELETE", f"/faults/{fault_id}")

    def plan_failure(self, **failure: Any) -> dict[str, Any]:
        """Plan that something goes wrong with an image template; see `aib_emulator.failures.PlannedFailure`."""
        return self._call("POST", "/failures", failure)

    def failures(self) -> list[dict[str, Any]]:
        """Return the planned failures that have strikes left."""
        return list(self._call("GET", "/failures")["value"])

    def remove_failure(self, failure_id: str) -> None:
        """Forget one planned failure."""
        self._call("DELETE", f"/failures/{failure_id}")

    def set_token_lifetime(self, seconds: int) -> None:
        """Set how long the tokens live that are issued from now on."""
        self._call("PUT", "/tokens", {"lifetime": seconds})

    def expire_tokens(self) -> None:
        """Let every token that was issued so far be over."""
        self._call("POST", "/tokens/expire")

    def rotate_signing_key(self) -> None:
        """Sign tokens with a new key from now on; the old ones are good no more."""
        self._call("POST", "/tokens/rotate")

    def refuse_sign_ins(self, **refusal: Any) -> None:
        """Refuse the next sign-ins; see `aib_emulator.sign_in.SignInRefusal`."""
        self._call("POST", "/tokens/refusals", refusal)

    def throttle(self, **buckets: dict[str, float]) -> None:
        """Throttle calls to Resource Manager, by the documented numbers or by others.

        :param buckets: `reads`, `writes`, `deletes`: each `{"size": ..., "refill_per_second": ...}`
        """
        self._call("PUT", "/throttling", buckets)

    def throttling(self) -> dict[str, Any]:
        """Return how throttling stands, and how many calls it has refused."""
        return self._call("GET", "/throttling")

    def end_throttling(self) -> None:
        """Throttle no longer."""
        self._call("DELETE", "/throttling")

    def clear_plans(self) -> None:
        """Forget planned faults and failures, and sign-ins to refuse."""
        for plans in ("/faults", "/failures", "/tokens/refusals"):
            self._call("DELETE", plans)

    def set_data_role(self, role: str, *, account: str = "*", object_id: str = "*") -> None:
        """Let a principal be `none`, `reader` or `contributor` of an account's blobs, whatever its role assignments."""
        self._call("PUT", "/data-roles", {"role": role, "account": account, "object_id": object_id})

    def register_application(self, **given: str) -> dict[str, str]:
        """Register an application, which starts without any right, and return how it signs in.

        :param given: `client_id`, `client_secret`, `object_id`; what is not given is made up
        """
        return self._call("POST", "/applications", given)

    def set_copy_pace(self, bytes_per_second: float, *, fail_at_bytes: int | None = None) -> None:
        """Let Copy Blob take its time, and fail at a byte of its source."""
        self._call("PUT", "/copy-pace", {"bytes_per_second": bytes_per_second, "fail_at_bytes": fail_at_bytes})

    def clear_copy_pace(self) -> None:
        """Let Copy Blob be done when it is answered, as at first."""
        self._call("DELETE", "/copy-pace")

    def set_blob_limits(
        self, *, requests_per_second: float | None = None, bytes_per_second: float | None = None, retry_after: int = 1
    ) -> None:
        """Let one blob bear only so much in a second of emulated time; beyond that it answers ServerBusy."""
        limits = {"requests_per_second": requests_per_second, "bytes_per_second": bytes_per_second}
        self._call("PUT", "/blob-limits", {**limits, "retry_after": retry_after})

    def clear_blob_limits(self) -> None:
        """Let blobs bear anything, as at first."""
        self._call("DELETE", "/blob-limits")

    def publish_platform_version(self, publisher: str, offer: str, sku: str, version: str, **about: str) -> None:
        """Publish a new version of a marketplace image, which is made if there is none of these names.

        :param about: `os_type` and `hyper_v_generation` of an image that is made
        """
        names = {"publisher": publisher, "offer": offer, "sku": sku, "version": version}
        self._call("POST", "/platform-versions", {**names, **about})

    def withdraw_platform_version(self, publisher: str, offer: str, sku: str, version: str) -> None:
        """Withdraw a version of a marketplace image."""
        names = {"publisher": publisher, "offer": offer, "sku": sku, "version": version}
        self._call("POST", "/platform-versions/withdraw", names)

    def choose(self, **chosen: str) -> None:
        """Choose answers that nobody knows of the service; names as in `aib_emulator.choices`, with underscores."""
        self._call("PUT", "/choices", {name.replace("_", "-"): value for name, value in chosen.items()})

    def requests(self, **wanted: str) -> list[dict[str, Any]]:
        """Return what was asked since the last reset, oldest first.

        :param wanted: `client`, `method`, `path`, `status`, `endpoint`; see `aib_emulator.request_record.RequestFilter`
        """
        found: list[dict[str, Any]] = self._call("GET", f"/requests?{urlencode(wanted)}")["value"]
        return found

    def count_requests(self, by: str = "call", **wanted: str) -> dict[str, int]:
        """Return how many calls there were of each kind, the most frequent first.

        :param by: `call`, `client`, `endpoint`, `method`, `path` or `status`
        :param wanted: as in `requests`
        """
        query = urlencode({"count": f"by-{by}", **wanted})
        return dict(self._call("GET", f"/requests?{query}")["value"])

    def connections(self) -> dict[str, Any]:
        """Return how many connections carried calls, with which handshakes, and how many tokens were asked for."""
        return self._call("GET", "/connections")

    def runs(self) -> list[dict[str, Any]]:
        """Return every run that has begun since the last reset, oldest first, those of deleted image templates too."""
        return list(self._call("GET", "/runs")["value"])

    def forget_requests(self) -> None:
        """Begin the record of requests anew."""
        self._call("DELETE", "/requests")

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data=data, method=method)  # noqa: S310 - an address of our own, https
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                content = response.read()
        except HTTPError as refusal:
            raise ControlError(refusal) from None
        answer: dict[str, Any] = json.loads(content) if content else {}
        return answer
