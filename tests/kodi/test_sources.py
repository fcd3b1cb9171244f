"""Services that another add-on brings: in the list while it is switched on; and whoever is logged
in there can log out all the same.
"""

from __future__ import annotations

import shutil

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.staging import ROOT, place_script, place_services
from tests.kodi.viewer import Viewer
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
UPDATES = "resource.sessionkeeper.providers"
PLAYER = "script.sessionkeeper.test.player"
SHOP = "The Shop"
# What the service is called since its last update.
NEWER = "Angel"
# The details of the focused line in Kodi's own list.
BELOW = "Container(6).ListItem.Label2"
EXAMPLE = "examples/plugin.video.sessionkeeper-example"
ASSETS = "<assets><icon>icon.png</icon></assets>"


@pytest.fixture
def provider_id() -> str:
    return "idempotent"


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi, server: StandIn) -> Kodi:
    """Of a viewer who has chosen nothing yet."""
    kodi = unstarted_kodi
    kodi.say({}, developer_services="false")
    source = kodi.home / "sources" / PLAYER
    place_script(source, "Player", "", ASSETS)
    shutil.copy(ROOT / EXAMPLE / "resources" / "icon.png", source)
    files = source / "resources" / "sessionkeeper"
    files.mkdir(parents=True)
    (files / "shop-player.toml").write_text(
        f'use = "idempotent"\nid = "shop-player"\nname = "{SHOP}"\n'
        f'[parameters]\nbase = "{server.parameters["base"]}"\n'
    )
    (files / "broken.toml").write_text('id = "broken"\nfrobnicate = true\n')
    kodi.add_addon(source)
    changed = place_services(kodi.home / "sources" / UPDATES) / "angel.toml"
    text = changed.read_text().replace('name = "Angel Studios"', f'name = "{NEWER}"')
    changed.write_text(f"revision = 1000\n{text}")
    kodi.add_addon(kodi.home / "sources" / UPDATES)
    return kodi


def listed(kodi: Kodi, viewer: Viewer) -> dict[str, str]:
    """The services in the list, with the words below each."""
    viewer.press_setting("Service")
    found = {}
    for line in viewer.lines():
        kodi.remote.walk_to(line, whole=True)
        found[line] = kodi.remote.label(BELOW)
    kodi.remote.walk_to(NEWER, whole=True)
    return found


def leave_list(kodi: Kodi, viewer: Viewer) -> None:
    kodi.remote.press("Back")
    viewer.wait_for_settings()


def switch(kodi: Kodi, addon: str, *, on: bool) -> None:
    kodi.rpc("Addons.SetAddonEnabled", addonid=addon, enabled=on)


def test_a_service_comes_and_goes_with_its_add_on(kodi: Kodi, viewer: Viewer) -> None:
    found = listed(kodi, viewer)
    kodi.screenshot("57-service-of-an-add-on")
    assert found.items() >= {NEWER: "", SHOP: "From Player", "Jellyfin": ""}.items()
    assert "broken.toml:2: frobnicate: unknown field" in kodi.log()
    leave_list(kodi, viewer)
    switch(kodi, PLAYER, on=False)
    found = listed(kodi, viewer)
    assert NEWER in found
    assert SHOP not in found
    leave_list(kodi, viewer)
    switch(kodi, PLAYER, on=True)
    assert SHOP in listed(kodi, viewer)
    leave_list(kodi, viewer)


def test_an_update_of_the_services_is_used_while_it_is_there(kodi: Kodi, viewer: Viewer) -> None:
    assert NEWER in listed(kodi, viewer)
    leave_list(kodi, viewer)
    switch(kodi, UPDATES, on=False)
    viewer.press_setting("Service")
    assert "Angel Studios" in viewer.lines()
    leave_list(kodi, viewer)


def test_whoever_is_logged_in_logs_out_without_the_add_on(
    kodi: Kodi, viewer: Viewer, server: StandIn
) -> None:
    viewer.choose_service(SHOP)
    assert "- Set-up" not in viewer.shown_settings()
    viewer.log_in(NAME, PASSWORD)
    assert [one["email"] for one in server.sessions() if one["alive"]] == [NAME]
    viewer.leave_settings()
    switch(kodi, PLAYER, on=False)
    kodi.quit()
    kodi.start()
    # Its own definition is kept with the session.
    assert listed(kodi, viewer).items() >= {NEWER: "", SHOP: NAME}.items()
    leave_list(kodi, viewer)
    viewer.log_out()
    assert not [one for one in server.sessions() if one["alive"]]
    assert viewer.notifications() == ["Logged out"]
    viewer.choose_service(NEWER)
    found = listed(kodi, viewer)
    assert NEWER in found
    assert SHOP not in found
    leave_list(kodi, viewer)
