"""What happens, in which order. Which service has which chapters is in services.py."""

from __future__ import annotations

import json
import time
from typing import Any

from .scene import Scene
from .story import local_time

_CART = [("DASHCAM-ACT", 2), ("CABLE", 1)]


def with_the_network(scene: Scene, title: str = "With the network") -> None:
    story = scene.story
    story.chapter(title)
    if scene.service.renewal:
        login = scene.log_in_for_a_moment()
        scene.come_back_after_the_end(login)
    else:
        login = scene.log_in()
        scene.restore()
        scene.ask()

    story.step("Keep a copy of the credentials, as a thief would")
    copy = scene.copy(login)

    story.step("Log out")
    scene.server.clear_journal()
    report = scene.device.run(story, "logout")
    here, there = report["local"], report["remote"]
    scene.viewer(f"here: {here}; at the server: {there}; in {report['duration_ms']} ms")
    scene.show_requests()
    scene.prove("the report says revoked", (here, there) == ("cleared", "revoked"), report)
    scene.prove_told(login)
    scene.prove_ended(login, copy)
    scene.revoked += 1
    scene.stay_out(waiting=0)


def without_the_network(scene: Scene) -> None:
    story = scene.story
    story.chapter("The same without the network")
    login = scene.log_in()
    copy = scene.copy(login)

    story.step("The server goes away; log out")
    scene.server.stop()
    started = time.monotonic()
    report = scene.device.run(story, "logout")
    here, there = report["local"], report["remote"]
    took = time.monotonic() - started
    scene.viewer(f"here: {here}; at the server: {there}; in {took:.1f} s")
    claimed = (here, there) == ("cleared", "deferred")
    scene.prove("logged out here, and no success claimed", claimed, report)
    status = scene.device.run(story, "status")
    waiting = status["pending_revocations"]
    scene.viewer(f"{status['state']}; logouts that wait for the server: {waiting}")
    kept = (status["state"], waiting) == ("signed_out", 1)
    scene.prove("so it is after a restart", kept, status)

    story.step("The server is back, and knows nothing of it")
    scene.server.start()
    accepted = scene.accepted(copy)
    scene.prove("the old session still lives there", all(accepted.values()), accepted)

    story.step("The waiting logout is delivered (in Kodi the service does this by itself)")
    scene.deliver(login, copy)


def without_a_proof(scene: Scene) -> None:
    """A server that cannot take its token back: then nobody says that it did."""
    story = scene.story
    story.chapter("A token that stays good until it ends by itself")
    login = scene.log_in()
    scene.restore()
    scene.ask()

    story.step("Keep a copy of the credentials, as a thief would")
    copy = scene.copy(login)

    story.step("Log out")
    scene.server.clear_journal()
    sentence = scene.device.read(story, "logout")
    scene.viewer(sentence)
    scene.show_requests()
    ends = local_time(login.status["expires_at"], "%Y-%m-%d %H:%M")
    honest = "proves nothing" in sentence and ends in sentence
    scene.prove("the report claims nothing, and names the end of the token", honest, sentence)
    scene.prove_told(login)
    accepted = scene.accepted(copy)
    scene.prove("it is true: the server still accepts the token", all(accepted.values()), accepted)
    logouts = scene.session(login)["logouts"]
    scene.prove("the server's audit log has the logout, once", logouts == 1, logouts)
    scene.stay_out(waiting=1)

    story.step("The service gets a deny-list; the logout is tried again (in Kodi by itself)")
    scene.server.settings(deny_list=True)
    scene.deliver(login, copy)


def with_a_deny_list(scene: Scene) -> None:
    scene.server.settings(deny_list=True)
    with_the_network(scene, "The same service with its deny-list, so that there is a proof")


def with_a_cart(scene: Scene) -> None:
    """What an add-on keeps for the account, and what becomes of it when nobody is logged in."""
    story = scene.story
    story.chapter("A cart with an item that needs the account's subscription")
    scene.log_in()

    story.step("An add-on keeps a cart beside the session")
    cart = scene.device.data / "cart.json"
    cart.write_text(json.dumps({"items": [{"sku": sku, "quantity": n} for sku, n in _CART]}))
    products = scene.device.data / "products.json"
    products.write_text(json.dumps(["DASHCAM-ACT", "DASHCAM-NON", "CABLE"]))
    scene.viewer(_cart(cart.read_text()))

    story.step("Log out")
    report = scene.device.run(story, "logout")
    tasks = [f"{one['name']}: {one['outcome']}, {one['detail']}" for one in report["tasks"]]
    scene.viewer(f"here: {report['local']}; at the server: {report['remote']}; {'; '.join(tasks)}")
    scene.viewer(_cart(cart.read_text()))
    found = [(item["sku"], item["quantity"]) for item in json.loads(cart.read_text())["items"]]
    exchanged = found == [("DASHCAM-NON", 2), ("CABLE", 1)]
    scene.prove("the item is exchanged for the one that everybody may have", exchanged, found)
    scene.revoked += 1


def everywhere(scene: Scene) -> None:
    story = scene.story
    story.chapter("Everywhere: two devices, and one logout for both")
    second = scene.device.another(scene.server, scene.device.data.parent.parent / "second")
    logins = [
        scene.log_in(where=" on the first device"),
        scene.log_in(second, where=" on the second device"),
    ]

    story.step("Keep a copy of the credentials of both")
    copies = [scene.copy(login) for login in logins]

    story.step("Log out everywhere, on the second device")
    scene.server.clear_journal()
    report = second.run(story, "logout", "--everywhere")
    here, there, ended = report["local"], report["remote"], report["sessions_ended"]
    scene.viewer(f"here: {here}; at the server: {there}; sessions ended: {ended}")
    scene.show_requests()
    told = (here, there, ended) == ("cleared", "revoked", 2)
    scene.prove("the report says revoked, and two sessions", told, report)
    for login, copy in zip(logins, copies):
        scene.prove_ended(login, copy)

    story.step("The first device finds out at its next request")
    scene.server.clear_journal()
    error = scene.device.run(story, "request", *scene.service.ask, expect=3)["error"]
    scene.viewer(f"{error['message']} (exit status 3)")
    scene.viewer(error["hint"])
    scene.show_requests()
    status = scene.device.run(story, "status")
    scene.prove("it is logged out", status["state"] == "signed_out", status)


def audit(scene: Scene) -> None:
    scene.story.step("What the device remembers of all this: the audit trail")
    events = scene.device.run(scene.story, "audit")["events"]
    for one in events:
        text = f"{one['event']:<16} {one['account']:<30} {one['outcome']}"
        scene.story.line(local_time(one["at"], "%H:%M:%S"), text)
    text = json.dumps(events)
    scene.prove("there is no secret in it", not any(secret in text for secret in scene.secrets))
    revoked = [one["event"] for one in events].count("revoked")
    each = f"sessions revoked, each said once: {scene.revoked}"
    scene.prove(each, revoked == scene.revoked, revoked)


def _cart(text: str) -> str:
    items: list[dict[str, Any]] = json.loads(text)["items"]
    return "in the cart: " + ", ".join(f"{one['quantity']} x {one['sku']}" for one in items)
