from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import schemathesis

from aib_emulator.__main__ import main
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

EXAMPLES = 8
"""For each of some hundred and fifty calls."""
TIMEOUT = 30


@pytest.fixture
def described(emulator_thread: EmulatorThread) -> Any:
    """Read the emulator's own description."""
    return schemathesis.openapi.from_dict(emulator_thread.emulator.description())


@pytest.fixture(scope="module")
def raw(emulator_thread: EmulatorThread) -> RawArm:
    """Sign in once."""
    return RawArm(emulator_thread)


def test_no_described_call_fails_the_emulator(emulator: EmulatorThread, described: Any) -> None:
    """Whatever is made from the description is answered without a failure of the emulator."""
    asked = 0
    for found in described.get_all_operations():
        emulator.control.reset()  # a call of the control door may have ended all tokens, or planned that calls fail
        emulator.control.set_scale(0)
        ask_many(RawArm(emulator), found.ok())
        asked += 1
    emulator.control.reset()
    assert asked == len(emulator.emulator.served_routes)


def ask_many(raw: RawArm, operation: Any) -> None:
    """Make calls of one kind; none may be refused for its token only, which would prove nothing."""
    known = {"subscription_id": raw.settings.subscription_id, "resource_group_name": "images"}

    @hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.path_parameters.update({name: known[name] for name in known if name in case.path_parameters})
        sent = case.as_transport_kwargs(base_url=raw.url, headers=dict(raw.session.headers))
        answer = raw.session.request(**sent, timeout=TIMEOUT)
        assert answer.status_code < 500, answer.text
        assert answer.status_code != 401 or "/oauth2/" in operation.path, answer.text

    ask()


def test_every_route_is_described(emulator_thread: EmulatorThread, raw: RawArm) -> None:
    """The document at the control door has each method and path that is served."""
    document = raw.send("GET", "/_emulator/openapi.json", api_version=None).json()
    written = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    served = {
        (route.method, re.sub(r"\*\}", "}", route.path if route.path.startswith("/") else f"/{route.path}"))
        for route in emulator_thread.emulator.served_routes
    }
    assert written == served


@pytest.mark.slow
def test_the_command_writes_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    """`aib-emulator openapi` writes the description, and nothing else, to its output."""
    assert main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out)["openapi"] == "3.0.3"
