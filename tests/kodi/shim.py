"""The shim's modules, imported over stand-ins for Kodi's: plain objects that say what Kodi would.

Texts come back as "#<id>", with what is filled into them behind it, so that a test can tell them
apart without knowing the words.
"""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, Tuple


class Shim:
    def __init__(self) -> None:
        self.kodi_settings: dict[str, Any] = {}
        self.log: list[tuple[str, int]] = []
        self.told: list[str] = []
        self.profile = "/profile/"
        # What happens each time the settings file is read.
        self.read: Callable[[], str] = lambda: "angel"
        # The other settings by id.
        self.settings: dict[str, str] = {}
        # What the viewer types, one after the other; None where she leaves the keyboard.
        self.typed: list[str | None] = []
        # The headings of the keyboards, and what stood there already.
        self.keyboards: list[tuple[str, str]] = []
        # What Kodi says of the add-ons that are switched on.
        self.enabled: list[dict[str, Any]] = []
        # What the viewer answers to lists, one after the other, and what they offered.
        self.choices: list[int] = []
        self.offered: list[list[tuple[str, str]]] = []
        self.confirms = True
        # Title, question and buttons of each question, the one that changes nothing first.
        self.asked: list[tuple[str, ...]] = []
        # What the viewer types, one after the other, and each keyboard: its heading, whether it
        # has digits alone, whether it hides them, and whether a progress bar was behind it.
        self.types: list[str] = []
        self.keyboards: list[tuple[str, bool, bool, bool]] = []
        # What a progress bar showed, one after the other, and whether one is on the screen.
        self.percents: list[int] = []
        self.shows_progress = False
        self.builtins: list[str] = []
        # The add-on that calls, "" for none; where add-ons are; the names of others by id.
        self.caller = "script.caller"
        self.addons_root = "/addons/"
        self.addons: dict[str, str] = {}
        # The window that is open, what the viewer does in the next one, and what was in it, by
        # control.
        self.visible = ""
        self.does: Callable[[Any], None] = lambda _: None
        self.shown: dict[int, str] = {}
        self.hidden: set[int] = set()
        self.focus = 0
        self.cleared: list[tuple[int, str]] = []
        # The windows' properties.
        self.properties: dict[str, str] = {}
        # What happens while somebody waits, for so many milliseconds.
        self.sleeps: Callable[[int], None] = lambda _: None
        # Whether Kodi ends now, asked whenever somebody waits for that, with the seconds.
        self.waits: Callable[[float], bool] = lambda _: False
        self.address = "192.0.2.1"

    def load(self, name: str) -> Any:
        return importlib.import_module(f"sessionkeeper.kodi.{name}")

    def text(self, name: str) -> str:
        """How the text of this name begins."""
        return f"#{self.load('strings').IDS[name]}"

    def monitor(self) -> Any:
        return self._monitor()()

    def modules(self) -> dict[str, ModuleType | SimpleNamespace]:
        addon = SimpleNamespace(
            getLocalizedString=Words,
            getSettingString=lambda name: (
                self.read() if name == "provider" else self._setting(name)
            ),
            getSettingBool=lambda name: self._setting(name) == "true",
            getSettingInt=lambda _: 30,
        )
        dialog = SimpleNamespace(
            notification=lambda _, words, *__: self.told.append(words),
            ok=lambda _, words: self.told.append(words),
            yesno=self._yesno,
            select=self._select,
            input=lambda heading, *_, option=0, **__: self._input(heading, False, option == 2),
            numeric=lambda _, heading, __, hides: self._input(heading, True, hides),
        )
        progress = SimpleNamespace(
            create=lambda *_: self._show_progress(True),
            update=lambda percent, _="": self.percents.append(percent),
            close=lambda: self._show_progress(False),
            iscanceled=lambda: False,
        )
        return {
            "xbmc": SimpleNamespace(
                LOGDEBUG=0,
                LOGINFO=1,
                LOGWARNING=2,
                LOGERROR=3,
                log=lambda message, level: self.log.append((message, level)),
                executeJSONRPC=self._answer,
                executebuiltin=self.builtins.append,
                sleep=self._sleep,
                Keyboard=self._keyboard,
                getRegion=lambda name: {"dateshort": "%Y-%m-%d", "time": "%H%H:%M:%S"}[name],
                getCondVisibility=self._condition,
                Monitor=self._monitor(),
                getIPAddress=lambda: self.address,
            ),
            "xbmcaddon": SimpleNamespace(Addon=self._addon(addon)),
            "xbmcgui": SimpleNamespace(
                NOTIFICATION_WARNING="",
                ALPHANUM_HIDE_INPUT=2,
                DLG_YESNO_YES_BTN=11,
                INPUT_ALPHANUM=0,
                Action=object,
                Control=object,
                ControlTextBox=object,
                Dialog=lambda: dialog,
                DialogProgress=lambda: progress,
                ListItem=lambda words, below: Line((words, below)),
                Window=lambda number: SimpleNamespace(
                    clearProperty=lambda name: self._clear(number, name),
                    getProperty=lambda name: self.properties.get(name, ""),
                    setProperty=self.properties.__setitem__,
                ),
                WindowXMLDialog=self._window(),
            ),
            "xbmcvfs": SimpleNamespace(
                translatePath=lambda path: path.replace("special://profile/", self.profile).replace(
                    "special://temp/", self.profile
                )
            ),
        }

    def _addon(self, addon: SimpleNamespace) -> Callable[..., SimpleNamespace]:
        known = ("script.sessionkeeper", "script.caller")

        def find(*given: str) -> SimpleNamespace:
            name = given[0] if given else self.caller
            if name not in known and name not in self.addons:
                raise RuntimeError("Unknown addon id")
            info = {"id": name, "name": self.addons.get(name, ""), "icon": f"/{name}/icon.png"}
            info["path"] = f"{self.addons_root}{name}/"
            return SimpleNamespace(
                **vars(addon), getAddonInfo=lambda which: info.get(which, "/addons/")
            )

        return find

    def _monitor(shim) -> type:  # noqa: N805 - the monitor has a self as well
        class Monitor:
            def abortRequested(self) -> bool:  # noqa: N802
                return False

            def waitForAbort(self, seconds: float = 0) -> bool:  # noqa: N802
                return shim.waits(seconds)

        return Monitor

    def _window(shim) -> type:  # noqa: N805 - the window has a self as well
        class Window:
            def __init__(self, layout: str, *_: object) -> None:
                self.layout = layout

            def show(self) -> None:
                shim.visible = self.layout
                self.onInit()  # type: ignore[attr-defined]
                shim.does(self)

            def close(self) -> None:
                shim.visible = ""

            def setFocusId(self, number: int) -> None:  # noqa: N802
                shim.focus = number

            def getControl(self, number: int) -> SimpleNamespace:  # noqa: N802
                def put(words: str, *_: object) -> None:
                    shim.shown[number] = words

                def show(visible: bool) -> None:
                    shim.hidden = shim.hidden - {number} if visible else shim.hidden | {number}

                return SimpleNamespace(setText=put, setLabel=put, setImage=put, setVisible=show)

        return Window

    def _sleep(self, milliseconds: int) -> None:
        self.sleeps(milliseconds)

    def _clear(self, number: int, name: str) -> None:
        self.properties.pop(name, None)
        self.cleared.append((number, name))

    def _setting(self, name: str) -> str:
        return self.settings.get(name, "")

    def _condition(self, condition: str) -> bool:
        return condition == f"Window.IsVisible({self.visible})"

    def _show_progress(self, is_shown: bool) -> None:
        self.shows_progress = is_shown

    def _input(self, heading: str, is_numeric: bool, hides: bool) -> str:
        self.keyboards.append((heading, is_numeric, hides, self.shows_progress))
        return self.types.pop(0)

    def _yesno(self, title: str, question: str, nolabel: str, yeslabel: str, **_: object) -> bool:
        self.asked.append((title, question, nolabel, yeslabel))
        return self.confirms

    def _select(self, _: str, lines: list[tuple[str, str]], **__: Any) -> int:
        self.offered.append(lines)
        choice = self.choices.pop(0)
        # By its place, or by what it says.
        return [words for words, _ in lines].index(choice) if isinstance(choice, str) else choice

    def _keyboard(self, before: str, heading: str) -> SimpleNamespace:
        self.keyboards.append((heading, before))
        typed = self.typed.pop(0)
        return SimpleNamespace(
            doModal=lambda: None,
            isConfirmed=lambda: typed is not None,
            getText=lambda: f" {typed}",
        )

    def _answer(self, request: str) -> str:
        asked = json.loads(request)
        if asked["method"] == "Addons.GetAddons":
            assert asked["params"] == {"enabled": True, "properties": ["dependencies", "path"]}
            return json.dumps({"id": 1, "result": {"addons": self.enabled}})
        name = json.loads(request)["params"]["setting"].replace("network.", "")
        return json.dumps({"id": 1, "result": {"value": self.kodi_settings.get(name)}})


class Line(Tuple[str, str]):  # noqa: SLOT001 - a tuple can have no other slots
    """A line of a list, as what is written in it."""

    icon = ""

    def setArt(self, art: dict[str, str]) -> None:  # noqa: N802
        self.icon = art["icon"]


class Words(str):
    """A text that shows what is filled into it."""

    __slots__ = ()

    def __new__(cls, number: int) -> Words:
        return super().__new__(cls, f"#{number}")

    def format(self, *_: object, **values: object) -> str:
        return f"{self}({', '.join(str(value) for value in values.values())})"


def forget() -> None:
    """Takes the shim's modules out of Python's memory: the next import is a new one."""
    for name in [name for name in sys.modules if name.startswith("sessionkeeper.kodi")]:
        del sys.modules[name]
