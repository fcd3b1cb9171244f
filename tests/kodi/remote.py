"""A remote control for a running Kodi: JSON-RPC over its TCP socket.

Owns the connection, the answers and the notifications that Kodi sends on it, key presses, and
finding the focus by its label, so that no test counts key presses. It never starts or stops a
process (harness.py does) and knows nothing about Sessionkeeper. Kodi puts one JSON object after
another on the socket with nothing in between; the reader takes them apart.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any, Callable

KEYBOARD = "DialogKeyboard.xml"


class RemoteError(Exception):
    """Kodi answered a request with an error, or did not answer."""


class Remote:
    """`on_silence` is called when a request is not answered; it may know better why."""

    def __init__(self, port: int, connect_timeout: float = 2.0) -> None:
        self.on_silence: Callable[[], None] = lambda: None
        self._socket = socket.create_connection(("127.0.0.1", port), connect_timeout)
        self._socket.settimeout(None)
        self._changed = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._last_id = 0
        self._closed = False
        self.notifications: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def rpc(self, method: str, timeout: float = 20.0, **params: Any) -> Any:
        with self._changed:
            self._last_id += 1
            number = self._last_id
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        with contextlib.suppress(OSError):  # it is gone, and does not answer
            self._socket.sendall(json.dumps(request).encode())
        with self._changed:
            self._changed.wait_for(lambda: number in self._answers or self._closed, timeout)
            answer = self._answers.pop(number, None)
        if answer is None:
            self.on_silence()
            raise RemoteError(f"no answer to {method}")
        if "error" in answer:
            raise RemoteError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        self._socket.close()

    # Keys

    def press(self, *keys: str) -> None:
        """Presses Up, Down, Left, Right, Select, Back or Home, one after the other."""
        for key in keys:
            self.rpc(f"Input.{key}")
            time.sleep(0.15)

    def type_text(self, heading: str, text: str) -> None:
        """Types into the on-screen keyboard that has this heading, and confirms it."""
        self.wait_for_keyboard(heading)
        self.rpc("Input.SendText", text=text, done=True)

    def wait_for_keyboard(self, heading: str) -> None:
        self.wait_for(
            lambda: heading in self.keyboard_heading(), f"a keyboard that asks for {heading!r}"
        )
        time.sleep(0.4)

    def keyboard_heading(self) -> str:
        """Empty when no keyboard is open."""
        return self.label("Control.GetLabel(311)") if self.dialog() == KEYBOARD else ""

    # What is on the screen

    def label(self, name: str) -> str:
        return str(self.rpc("XBMC.GetInfoLabels", labels=[name])[name])

    def is_true(self, condition: str) -> bool:
        return bool(self.rpc("XBMC.GetInfoBooleans", booleans=[condition])[condition])

    def dialog(self) -> str:
        """The skin file of the top window or dialog, such as DialogConfirm.xml."""
        return self.label("Window.Property(xmlfile)").rsplit("/", 1)[-1]

    def focus(self) -> str:
        return self.label("System.CurrentControl")

    def wait_for(
        self,
        what: Callable[[], Any],
        described_as: str,
        timeout: float = 10.0,
        pause: float = 0.1,
    ) -> Any:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = what()
            if found:
                return found
            time.sleep(pause)
        seen = f"on screen: {self.dialog()!r}, focus {self.focus()!r}"
        raise AssertionError(f"waited {timeout:g} s for {described_as}; {seen}")

    def wait_for_dialog(self, file_name: str, timeout: float = 10.0) -> None:
        self.wait_for(lambda: self.dialog() == file_name, file_name, timeout)
        time.sleep(0.4)  # the skin's opening animation; a key pressed during it is lost

    def wait_for_toast(self, timeout: float = 10.0) -> None:
        self.wait_for(
            lambda: self.is_true("Window.IsVisible(notification)"), "a notification", timeout
        )
        time.sleep(0.5)  # it slides in

    def wait_until_quiet(self, timeout: float = 15.0) -> None:
        """Waits until no notification is shown; the next one would have to queue behind it."""
        self.wait_for(lambda: not self.is_true("Window.IsVisible(notification)"), "quiet", timeout)

    def walk_to(self, label: str, key: str = "Down", most: int = 20, whole: bool = False) -> None:
        """Presses `key` until the control with this label, or with `whole` just this one, has the
        focus.
        """
        seen = []
        for _ in range(most):
            focused = self.focus()
            if label == focused if whole else label in focused:
                return
            seen.append(focused)
            self.press(key)
        raise AssertionError(f"no control {label!r}; pressing {key} met {seen}")

    # What Kodi said on its own

    def announcements(self, sender: str) -> list[tuple[str, Any]]:
        """The NotifyAll messages of one add-on, as (message, data)."""
        found = []
        for notification in list(self.notifications):
            params = notification.get("params", {})
            if params.get("sender") == sender:
                found.append((notification["method"].replace("Other.", "", 1), params.get("data")))
        return found

    def _read(self) -> None:
        decoder = json.JSONDecoder()
        buffer, pending = "", b""
        while True:
            try:
                piece = self._socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                break
            pending += piece
            try:
                buffer += pending.decode()
                pending = b""
            except UnicodeDecodeError:
                continue  # a character was cut; its rest comes with the next piece
            while buffer:
                try:
                    message, end = decoder.raw_decode(buffer)
                except ValueError:
                    break
                buffer = buffer[end:].lstrip()
                self._take(message)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self.notifications.append(message)
            self._changed.notify_all()
