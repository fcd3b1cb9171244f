"""What happens, in which order. Which service has which chapters is in services.py."""

from __future__ import annotations

import json
from typing import Any

from .scene import Scene
from .story import local_time

_CART = [("DASHCAM-ACT", 2), ("CABLE", 1)]


def with_the_network(scene: Scene, title: str = "With the network") -> None:
    scene.story.chapter(title)
    if scene.service.renewal:
        login = scene.log_in_for_a_moment()
        scene.come_back_after_the_end(login)
    else:
        login = scene.log_in_and_use()
    copy = scene.copy_as_a_thief(login)
    scene.prove_reported(scene.log_out("Log out"))
    scene.prove_told(login)
    scene.prove_ended(login, copy)
    scene.stay_out()


def without_the_network(scene: Scene) -> None:
    scene.story.chapter("Without the network")
    login = scene.log_in()
    copy = scene.copy(login)

    scene.server.stop()
    report = scene.log_out("The server goes down; log out", journal=False)
    told = (report["local"], report["remote"])
    scene.prove("logged out here, and no success claimed", told == ("cleared", "deferred"), report)
    scene.waiting += 1
    status = scene.device.run(scene.story, "status")
    waiting = status["pending_revocations"]
    scene.viewer(f"{status['state']}; logouts waiting for the server's confirmation: {waiting}")
    kept = (status["state"], waiting) == ("signed_out", scene.waiting)
    scene.prove("it is still so after a restart", kept, status)

    scene.story.step("The server is back and knows nothing of the logout")
    scene.server.start()
    accepted = scene.accepted(copy)
    scene.prove("the old session is still alive there", all(accepted.values()), accepted)
    scene.deliver("Send the waiting logout (in Kodi this happens by itself)", login, copy)


def without_a_proof(scene: Scene) -> None:
    """A server that cannot take its token back: then nobody says that it did."""
    scene.story.chapter("A token that is good until it expires")
    login = scene.log_in_and_use()
    copy = scene.copy_as_a_thief(login)

    scene.story.step("Log out")
    scene.server.clear_journal()
    sentence = scene.device.read(scene.story, "logout")
    scene.viewer(sentence)
    scene.show_requests()
    ends = local_time(login.status["expires_at"], "%Y-%m-%d %H:%M")
    honest = "still accepts" in sentence and ends in sentence
    scene.prove("the report claims no success and says when the token expires", honest, sentence)
    scene.prove_told(login)
    accepted = scene.accepted(copy)
    scene.prove("rightly: the server still accepts the token", all(accepted.values()), accepted)
    logouts = scene.session(login)["logouts"]
    scene.prove("the server's audit log has the logout once", logouts == 1, logouts)
    scene.waiting += 1
    scene.stay_out()

    scene.server.settings(deny_list=True)
    step = "The service gets a deny-list; send the logout again (in Kodi this happens by itself)"
    scene.deliver(step, login, copy)


def with_a_deny_list(scene: Scene) -> None:
    scene.server.settings(deny_list=True)
    with_the_network(scene, "With a deny-list, the server can prove it")


def with_a_cart(scene: Scene) -> None:
    """What an add-on keeps for the account, and what becomes of it when nobody is logged in."""
    scene.story.chapter("A cart with an item that needs the account's subscription")
    scene.log_in()

    scene.story.step("An add-on keeps a cart beside the session")
    cart = scene.device.data / "cart.json"
    cart.write_text(json.dumps({"items": [{"sku": sku, "quantity": n} for sku, n in _CART]}))
    products = scene.device.data / "products.json"
    products.write_text(json.dumps(["DASHCAM-ACT", "DASHCAM-NON", "CABLE"]))
    scene.viewer(_cart(cart.read_text()))

    report = scene.log_out("Log out")
    for one in report["tasks"]:
        scene.viewer(f"{one['name']}: {one['outcome']}, {one['detail']}")
    scene.viewer(_cart(cart.read_text()))
    found = [(item["sku"], item["quantity"]) for item in json.loads(cart.read_text())["items"]]
    exchanged = found == [("DASHCAM-NON", 2), ("CABLE", 1)]
    scene.prove("the item is exchanged for the one that anyone may have", exchanged, found)
    scene.revoked += 1


def everywhere(scene: Scene) -> None:
    scene.story.chapter("Everywhere: two devices, one logout")
    second = scene.device.another(scene.server, scene.device.data.parent.parent / "second")
    logins = [
        scene.log_in(where=" on the first device"),
        scene.log_in(second, where=" on the second device"),
    ]
    scene.story.step("Copy the credentials of both, as a thief would")
    copies = [scene.copy(login) for login in logins]

    report = scene.log_out("Log out everywhere, on the second device", second, "--everywhere")
    told = (report["local"], report["remote"], report["sessions_ended"])
    scene.prove("the report says revoked, two sessions", told == ("cleared", "revoked", 2), report)
    for login, copy in zip(logins, copies):
        scene.prove_ended(login, copy)

    scene.story.step("The first device finds out with its next request")
    scene.server.clear_journal()
    error = scene.device.run(scene.story, "request", *scene.service.ask, expect=3)["error"]
    scene.viewer(f"{error['message']} (exit status 3)")
    scene.viewer(error["hint"])
    scene.show_requests()
    status = scene.device.run(scene.story, "status")
    scene.prove("it is logged out", status["state"] == "signed_out", status)


def audit(scene: Scene) -> None:
    scene.story.step("Read the audit trail of the device")
    events = scene.device.run(scene.story, "audit")["events"]
    for one in events:
        text = f"{one['event']:<16} {one['account']:<30} {one['outcome']}"
        scene.story.line(local_time(one["at"], "%H:%M:%S"), text)
    text = json.dumps(events)
    scene.prove("it holds no secret", not any(secret in text for secret in scene.secrets))
    revoked = [one["event"] for one in events].count("revoked")
    each = f"it has each of the {scene.revoked} revoked sessions once"
    what = each if scene.revoked else "it calls no session revoked"
    scene.prove(what, revoked == scene.revoked, revoked)


def _cart(text: str) -> str:
    items: list[dict[str, Any]] = json.loads(text)["items"]
    return "in the cart: " + ", ".join(f"{one['quantity']} x {one['sku']}" for one in items)
