"""The proxy to use, as one URL.

Owns reading Kodi's own proxy settings (over JSON-RPC, the only way an add-on can) and the check of
the address entered here. A password in the add-on's own setting is refused: Kodi stores add-on
settings in clear text. The URL made of Kodi's settings may hold Kodi's proxy password; it goes to
sessionkeeper.open and nowhere else.
"""

from __future__ import annotations

import xbmc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# network.httpproxytype, in Kodi's order.
SCHEMES = ("http", "socks4", "socks4a", "socks5", "socks5h", "https")
SYSTEM, NONE = "system", "none"


def chosen(mode: str, own_address: str) -> str:
    """What sessionkeeper.open wants: "system", "none" or a URL."""
    if mode == "none":
        return NONE
    if mode == "own":
        return own(own_address)
    return kodis()


def own(address: str) -> str:
    """The address of the setting; without a scheme it is an HTTP proxy."""
    address = address.strip()
    if not address:
        return NONE
    if holds_password(address):
        from sessionkeeper.errors import InvalidInput
        from sessionkeeper.kodi.strings import text

        raise InvalidInput(text("proxy_address_has_password"), text("proxy_address_hint"))
    return address if "://" in address else f"http://{address}"


def holds_password(address: str) -> bool:
    return "@" in address


def without_password(address: str) -> str:
    """The address with everything before the @ taken out."""
    scheme, mark, rest = address.rpartition("://")
    return scheme + mark + rest.rpartition("@")[2]


def kodis() -> str:
    """Kodi's own proxy. Where Kodi has none, the environment decides, as it does for Kodi."""
    # Most homes have none, and need no module for JSON to know it. `getCondVisibility` would wait
    # for Kodi to draw its next picture.
    if '"value":true' not in _answer("usehttpproxy").replace(" ", ""):
        return SYSTEM
    server, port = str(_setting("httpproxyserver") or ""), _setting("httpproxyport")
    kind = _setting("httpproxytype") or 0
    if not server or not 0 <= kind < len(SCHEMES):
        return SYSTEM
    name, password = _setting("httpproxyusername"), _setting("httpproxypassword")
    login = ""
    if name:
        from urllib.parse import quote

        login = f"{quote(name, safe='')}:{quote(password or '', safe='')}@"
    host = f"[{server}]" if ":" in server and not server.startswith("[") else server
    return f"{SCHEMES[kind]}://{login}{host}:{port}"


def _setting(name: str) -> Any:
    import json

    return json.loads(_answer(name)).get("result", {}).get("value")


def _answer(name: str) -> str:
    """Kodi's, as it came, about one of its network settings."""
    answer: str = xbmc.executeJSONRPC(
        '{"jsonrpc": "2.0", "id": 1, "method": "Settings.GetSettingValue", '
        f'"params": {{"setting": "network.{name}"}}}}'
    )
    return answer
