"""The example add-on beside this one: its own settings and buttons, its own data directory, and its
own work after a logout.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from sessionkeeper import reports
from tests.kodi.harness import Kodi
from tests.kodi.neighbour import NEIGHBOUR_ID
from tests.kodi.staging import ROOT
from tests.kodi.viewer import SETTINGS, TEXT, Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

EXAMPLE_ID = "plugin.video.sessionkeeper-example"
EXAMPLE = ROOT / "examples" / EXAMPLE_ID
NAME, PASSWORD = StandIn.VIEWER


@pytest.fixture
def provider_id() -> str:
    """Whose server it uses."""
    return "idempotent"


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi) -> Kodi:
    opens = unstarted_kodi.add_addon(EXAMPLE) / "resources" / "lib" / "account.py"
    text = opens.read_text("utf-8")
    assert text.count("stop=stop,") == 1
    # The server's certificate is nobody's but ours: what an add-on trusts, it says itself.
    trusting = f"stop=stop, ca_file={unstarted_kodi.server.ca_file!r},"
    opens.write_text(text.replace("stop=stop,", trusting), "utf-8")
    return unstarted_kodi


@pytest.fixture
def witness(kodi: Kodi) -> Witness:
    """Of the example's own data directory."""
    return Witness(kodi, str(EXAMPLE / "resources" / "provider.toml"), addon=EXAMPLE_ID)


def open_its_settings(kodi: Kodi) -> None:
    if kodi.remote.dialog() != SETTINGS:
        kodi.run("1", "builtin", f"Addon.OpenSettings({EXAMPLE_ID})", addon=NEIGHBOUR_ID)
        kodi.remote.wait_for_dialog(SETTINGS)


def press(kodi: Kodi, label: str) -> None:
    open_its_settings(kodi)
    kodi.remote.walk_to(label)
    kodi.remote.press("Select")


def listing(kodi: Kodi) -> list[str]:
    answer = kodi.rpc("Files.GetDirectory", directory=f"plugin://{EXAMPLE_ID}/")
    return [entry["label"] for entry in answer["files"]]


def log_in(kodi: Kodi, witness: Witness) -> None:
    press(kodi, "Log in")
    kodi.remote.type_text("User name", NAME)
    kodi.remote.type_text("Password", PASSWORD)
    kodi.remote.wait_for(lambda: witness.status()["state"] == "signed_in", "the login", 20, 0.5)


def home_property(kodi: Kodi) -> str:
    return kodi.remote.label("Window(home).Property(sessionkeeper-example.viewer)")


def test_its_own_buttons(kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn) -> None:
    assert listing(kodi) == ["Log in"]
    log_in(kodi, witness)
    assert listing(kodi)[0].startswith("Hello, ")
    assert home_property(kodi)
    cache = kodi.profile / "userdata" / "addon_data" / EXAMPLE_ID / "cache"
    cache.mkdir()
    (cache / "poster.jpg").write_bytes(b"of this viewer")
    open_its_settings(kodi)
    kodi.screenshot("80-example-signed-in")
    press(kodi, "Session details")
    kodi.remote.wait_for_dialog(TEXT)
    kodi.screenshot("81-example-details")
    kodi.remote.press("Back")

    press(kodi, "Log out")
    kodi.remote.wait_for(
        lambda: not any(session["alive"] for session in server.sessions()), "the server to know", 20
    )
    kodi.remote.wait_for(lambda: not home_property(kodi), "the property to be cleared")
    kodi.remote.wait_for(lambda: not cache.exists(), "the cache to be deleted")
    assert witness.status()["state"] == "signed_out"
    assert listing(kodi) == ["Log in"]
    open_its_settings(kodi)
    kodi.remote.wait_for(lambda: "Not logged in" in its_settings_file(kodi), "its hook to have run")
    kodi.screenshot("82-example-signed-out")
    # Sessionkeeper's own buttons and words were not needed.
    assert viewer.notifications() == []


def test_the_server_is_told_later(kodi: Kodi, witness: Witness, server: StandIn) -> None:
    log_in(kodi, witness)
    server.stop()
    press(kodi, "Log out")
    kodi.remote.wait_for(witness.outbox, "the logout to wait", 20, 0.5)
    assert witness.status()["state"] == "signed_out"
    kodi.kill()
    server.start()
    kodi.start()
    kodi.remote.wait_for(
        lambda: not any(session["alive"] for session in server.sessions()), "the server", 60
    )


def test_what_a_logout_elsewhere_left_to_kodi_is_done(kodi: Kodi, witness: Witness) -> None:
    """As after a power cut between the logout and the work that follows it."""
    log_in(kodi, witness)
    listing(kodi)
    assert home_property(kodi)
    witness.log_out()
    kodi.remote.wait_for(lambda: not home_property(kodi), "the property to be cleared", 45)
    assert [event["detail"] for event in witness.events("task_failed")] == []


def its_settings_file(kodi: Kodi) -> str:
    return (kodi.profile / "userdata" / "addon_data" / EXAMPLE_ID / "settings.xml").read_text()


def test_kodis_own_checker_has_no_complaint(tmp_path: Path) -> None:
    faults = packaging("check_package").checker_faults(EXAMPLE, tmp_path)
    assert faults == []


def packaging(name: str) -> Any:
    """One of the scripts in .ci."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_knows_every_outcome() -> None:
    plugin = (EXAMPLE / "resources" / "lib" / "plugin.py").read_text("utf-8")
    for key in {*reports._SUMMARIES.values(), "already_signed_out"}:
        assert f'"{key}"' in plugin
