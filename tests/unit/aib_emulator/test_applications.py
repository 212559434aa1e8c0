from __future__ import annotations

from aib_emulator.applications import Application, Applications

FIRST = Application("Client", "s3cret", "object")


def test_an_application_is_found_by_its_client_id() -> None:
    """The casing of a client id does not matter."""
    assert Applications(FIRST).find("CLIENT") is FIRST


def test_what_is_not_given_is_made_up() -> None:
    """Two applications that were registered with nothing differ in everything."""
    applications = Applications(FIRST)
    one, two = applications.register(), applications.register()
    assert len({one.client_id, two.client_id, one.client_secret, two.client_secret, one.object_id, two.object_id}) == 6
    assert applications.is_principal(one.object_id.upper())


def test_the_first_one_stays() -> None:
    """A reset forgets those that were registered, and brings the first one back as it was."""
    applications = Applications(FIRST)
    applications.register(client_id="client", client_secret="other")
    other = applications.register()
    applications.clear()
    assert applications.find("client") is FIRST
    assert applications.find(other.client_id) is None


def test_no_secret_shows() -> None:
    """A secret is not in the text of an application."""
    assert "s3cret" not in repr(FIRST)
