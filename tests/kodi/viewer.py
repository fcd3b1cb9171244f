"""What a viewer does with the remote control: the steps that several tests share.

Every step waits for what it needs to see and finds its control by the label on it.
"""

from __future__ import annotations

import warnings

from tests.kodi.harness import Kodi
from tests.kodi.staging import ADDON_ID

SETTINGS = "DialogAddonSettings.xml"
# Yes/no, OK and progress dialogs are one file of the skin.
QUESTION = "DialogConfirm.xml"
TEXT = "DialogTextViewer.xml"
LIST = "DialogSelect.xml"
CODE = "sessionkeeper-device-login.xml"


class Viewer:
    def __init__(self, kodi: Kodi) -> None:
        self._kodi = kodi

    def open_settings(self) -> None:
        """Kodi shows a dialog without any settings where it read their file while the service was
        writing it (CGUIDialogAddonSettings::SetupView). A viewer would open it once more, too.
        """
        remote = self._kodi.remote
        if remote.dialog() != SETTINGS:
            self._kodi.open_settings()
        try:
            remote.wait_for(remote.focus, "a setting that has the focus", timeout=3)
        except AssertionError as failure:
            # Shown in the summary; see pyproject.toml.
            warnings.warn(f"The settings were opened once more: {failure}", stacklevel=2)
            self.leave_settings()
            self._kodi.open_settings()

    def press_setting(self, label: str, category: str = "Account") -> None:
        """Opens the settings if need be and presses a button in them."""
        remote = self._kodi.remote
        self.open_settings()
        if category != "Account":
            remote.press("Left")
            remote.walk_to(category)
            remote.press("Right")
        remote.walk_to(label)
        remote.press("Select")

    def choose_service(self, name: str, **parameters: str) -> None:
        """Picks a service in the settings, and types what it needs, by what it is asked for as
        (with "_" for a space), in that order.
        """
        self.press_setting("Service")
        self.choose(name)
        for about, value in parameters.items():
            self._kodi.remote.type_text(f"{name}: {about.replace('_', ' ')}", value)
        self.wait_for_settings()

    def set_up(self, about: str, value: str) -> None:
        """Says anew the one thing that the chosen service needs."""
        self.press_setting("Set-up")
        self._kodi.remote.type_text(about, value)
        self.wait_for_settings()

    def choose(self, line: str) -> None:
        """Chooses a line of the list on the screen."""
        remote = self._kodi.remote
        remote.wait_for_dialog(LIST)
        remote.walk_to(line, whole=True)
        remote.press("Select")

    def lines(self) -> list[str]:
        """The lines of the list on the screen, from the one that has the focus downwards and round
        to it again.
        """
        remote = self._kodi.remote
        remote.wait_for_dialog(LIST)
        found: list[str] = []
        while len(found) < 20 and remote.focus() not in found:
            found.append(remote.focus())
            remote.press("Down")
        return found

    def enter_credentials(self, name: str, password: str) -> None:
        self._kodi.remote.type_text("User name", name)
        self._kodi.remote.type_text("Password", password)

    def wait_for_question(self) -> None:
        remote = self._kodi.remote
        remote.wait_for(
            lambda: remote.dialog() == QUESTION and remote.focus() == "Cancel", "a question"
        )

    def answer(self, label: str = "Log out") -> None:
        """Presses the other button of a question, not the one that has the focus."""
        remote = self._kodi.remote
        self.wait_for_question()
        remote.walk_to(label, key="Left", most=3)
        remote.press("Select")

    def wait_for_choice(self, label: str) -> str:
        """The words above several buttons, of which this one has the focus."""
        remote = self._kodi.remote
        remote.wait_for(
            lambda: remote.dialog() == QUESTION and remote.focus() == label, f"the button {label!r}"
        )
        return remote.label("Control.GetLabel(9)")

    def wait_for_message(self) -> str:
        """The words of a message with OK."""
        remote = self._kodi.remote
        remote.wait_for(
            lambda: remote.dialog() == QUESTION and remote.focus() == "OK", "a message with OK", 40
        )
        return remote.label("Control.GetLabel(9)")

    def wait_for_notification(self, words: str, timeout: float = 20.0) -> None:
        self._kodi.remote.wait_for(
            lambda: words in self.notifications(), f"the notification {words!r}", timeout
        )

    def shown_text(self) -> str:
        """The text of the viewer on the screen."""
        self._kodi.remote.wait_for_dialog(TEXT)
        return self._kodi.remote.label("Control.GetLabel(5)")

    def wait_for_settings(self, timeout: float = 40.0) -> None:
        self._kodi.remote.wait_for_dialog(SETTINGS, timeout)

    def log_in(self, name: str, password: str) -> None:
        self.press_setting("Log in")
        self.enter_credentials(name, password)
        self.wait_for_settings()

    def log_out(self) -> None:
        self.press_setting("Log out")
        self.answer()
        self.wait_for_settings()

    def leave_settings(self) -> None:
        remote = self._kodi.remote
        if remote.dialog() == SETTINGS:
            remote.press("Back")
            remote.wait_for(lambda: remote.dialog() != SETTINGS, "the settings to close")

    def notifications(self) -> list[str]:
        """The words of every notification of the add-on in this run."""
        return self._logged("notification: ")

    def announcements(self) -> list[str]:
        """What the service has told other add-ons in this run, from before we listened too."""
        return self._logged("published: ")

    def _logged(self, kind: str) -> list[str]:
        mark = f"{ADDON_ID}: {kind}"
        lines = self._kodi.log().splitlines()
        return [line.split(mark, 1)[1].strip() for line in lines if mark in line]

    def wait_for_announcement(self, message: str) -> None:
        """Waits until other add-ons have been told this, in this run of Kodi."""
        remote = self._kodi.remote
        remote.wait_for(lambda: message in dict(remote.announcements(ADDON_ID)), message)

    def shown_settings(self) -> list[str]:
        """The labels that can be reached in the account category, in order."""
        remote = self._kodi.remote
        self.open_settings()
        labels: list[str] = []
        while len(labels) < 20 and remote.focus() not in labels:
            labels.append(remote.focus())
            remote.press("Down")
        return labels
