from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from tests.contract.image_builder.calls import IMAGE_TEMPLATES, Builder
from tests.contract.raw_arm import RawArm
from tests.contract.roles import ASSIGNMENTS
from tests.contract.sdk_clients import every

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

READS = "x-ms-ratelimit-remaining-subscription-reads"


def test_throttling_is_off_until_it_is_switched_on(emulator: EmulatorThread) -> None:
    """At first the recorded numbers are shown and never fall; switched on they are true; a reset ends that."""
    raw = RawArm(emulator)
    emulator.control.set_scale(0)

    def left() -> list[str]:
        return [raw.send("GET", IMAGE_TEMPLATES).headers[READS] for _ in range(3)]

    assert left() == ["249", "249", "249"]
    emulator.control.throttle()
    assert left() == ["249", "248", "247"]
    emulator.control.reset()
    assert left() == ["249", "249", "249"]
    assert emulator.control.throttling() == {"is_on": False, "buckets": None, "refused": 0}


def test_errors_tell_what_is_left_as_well(emulator: EmulatorThread) -> None:
    """A call that ends with 404 was counted."""
    raw = RawArm(emulator)
    emulator.control.set_scale(0)
    emulator.control.throttle()
    assert [raw.send("GET", f"{IMAGE_TEMPLATES}/none").headers[READS] for _ in range(2)] == ["249", "248"]


def test_a_throttled_call_is_told_when_to_come_back(emulator: EmulatorThread) -> None:
    """An empty bucket answers 429 with `Retry-After`, and is filled by the emulated clock."""
    raw = RawArm(emulator)
    emulator.control.set_scale(0)
    emulator.control.throttle(reads={"size": 2, "refill_per_second": 0.1})
    answers = [raw.send("GET", IMAGE_TEMPLATES) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "10"
    assert answers[-1].json()["error"]["code"] == "SubscriptionRequestsThrottled"
    emulator.control.advance(10)
    assert raw.send("GET", IMAGE_TEMPLATES).status_code == 200
    assert emulator.control.throttling()["refused"] == 1
    emulator.control.end_throttling()
    assert raw.send("GET", IMAGE_TEMPLATES).status_code == 200


def test_each_principal_has_buckets_of_its_own(emulator: EmulatorThread) -> None:
    """What one application has used up another still has; what is refused for lack of a right was counted."""
    emulator.control.set_scale(0)
    owner, guest = RawArm(emulator), RawArm(emulator, emulator.control.register_application())
    emulator.control.throttle(reads={"size": 1, "refill_per_second": 0.1})
    assert [owner.send("GET", IMAGE_TEMPLATES).status_code for _ in range(2)] == [200, 429]
    assert [guest.send("GET", IMAGE_TEMPLATES).status_code for _ in range(2)] == [403, 429]


def test_a_call_at_a_scope_counts_for_its_subscription(emulator: EmulatorThread) -> None:
    """Role assignments are taken from the same bucket as everything else in the subscription."""
    raw = RawArm(emulator)
    emulator.control.set_scale(0)
    emulator.control.throttle()
    assert [raw.send("GET", path).headers[READS] for path in (ASSIGNMENTS, IMAGE_TEMPLATES)] == ["249", "248"]


async def test_the_sdk_waits_and_asks_again(cloud: Cloud) -> None:
    """The SDK obeys `Retry-After` and gets what it wanted."""
    control = cloud.thread.control
    control.throttle(reads={"size": 1, "refill_per_second": 1})
    builder = Builder(cloud)
    for _ in range(2):
        assert await every(builder.image_templates.list()) == []


@pytest.mark.parametrize(
    "buckets", [{"reads": {"size": 0}}, {"reads": {"refill_per_second": 0}}, {"reads": 5}, {"looks": {"size": 1}}]
)
def test_senseless_buckets_are_refused(emulator: EmulatorThread, buckets: dict[str, object]) -> None:
    """A bucket that nobody could ever take from is not accepted, nor is one of an unknown kind."""
    with pytest.raises(HTTPError, match="400"):
        emulator.control.throttle(**buckets)  # type: ignore[arg-type] # wrong on purpose
