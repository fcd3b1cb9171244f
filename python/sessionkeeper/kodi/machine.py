"""Whether the compiled module runs on this device, and how the viewer learns that it does not.

A zip for other machines can be unpacked here, or its files copied with a profile. Then nothing
works, and nothing can be tried again: the service says so at its first start, once, and the add-on
to whoever opens it. The log has the reason.
"""

from __future__ import annotations

from sessionkeeper import __version__, loading
from sessionkeeper.errors import NativeModuleMissing, VersionMismatch
from sessionkeeper.kodi import dialogs, log, notifications, settings
from sessionkeeper.kodi.strings import text


def misfit() -> NativeModuleMissing | None:
    """Why the module does not run here; None where it does."""
    try:
        loading.native()
    except NativeModuleMissing as error:
        return error
    except VersionMismatch:
        pass  # it runs, and another file of it has to be loaded; whoever opens a keeper says so
    return None


def announce(why: NativeModuleMissing) -> None:
    """Once for each version and kind of machine, however often Kodi starts."""
    if settings.note_misfit(f"{__version__} {loading.platform_tag()}"):
        log.warning(why.message)
        notifications.warn(f"{text('misfit_told')} {_install()}")  # its heading is our name


def show(why: NativeModuleMissing) -> None:
    log.info(why.message)
    words = f"{text('error_native_module_missing')}[CR]{_install()}"
    dialogs.show_message(dialogs.TITLE, words)


def _install() -> str:
    return text("misfit_install", platform=loading.platform_tag())
