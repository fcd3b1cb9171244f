"""What is measured: pieces of Python, each run in an interpreter of its own.

A subject is a row of a table: what runs before the clock starts, and what is timed. argv of each:
directory, name, password. The peers keep the same cookies as ours does, as their own files.
"""

from __future__ import annotations

from typing import NamedTuple

OPEN = "import sessionkeeper; keeper = sessionkeeper.open('angel', data_dir=sys.argv[1] + '/ours')"
LOG_IN = "keeper.login(sys.argv[2], sys.argv[3])"
RESTORE = "session = keeper.restore(offline=True); assert session is not None"
ACCOUNT = "assert '@' in session.account.email"

MSAL = "import json, msal_extensions as m; kept = m.FilePersistence(sys.argv[1] + '/msal.json')"
BOTOCORE = (
    "from botocore.utils import JSONFileCache; kept = JSONFileCache(sys.argv[1] + '/botocore')"
)
LOADED = "assert len(cookies) >= 4"

FILE = "import json, pathlib; kept = pathlib.Path(sys.argv[1] + '/requests.json')"
COOKIES = "cookies = json.loads(kept.read_text())"


class Subject(NamedTuple):
    name: str
    before: list[str]
    timed: list[str]
    # The package that has to be there; "" for ours.
    needs: str = ""


# Signs in, and hands the cookies to the peers.
PREPARATIONS = [
    Subject(
        "",
        [OPEN, LOG_IN, FILE, "kept.write_text(json.dumps(keeper.session.cookies))"],
        [],
    ),
    Subject("", [FILE, "text = kept.read_text()", MSAL, "kept.save(text)"], [], "msal_extensions"),
    Subject("", [FILE, COOKIES, BOTOCORE, "kept['session'] = cookies"], [], "botocore"),
]
# The first subject of each table is ours: the ratios are to it.
IMPORT = [
    Subject(
        "sessionkeeper, module loaded", [], ["import sessionkeeper; sessionkeeper.providers()"]
    ),
    Subject("requests", [], ["import requests"], "requests"),
    Subject("msal_extensions", [], ["import msal_extensions"], "msal_extensions"),
    Subject("botocore.utils", [], ["import botocore.utils"], "botocore"),
]
RESTORING = [
    Subject("sessionkeeper: import, open, restore", [], [OPEN, RESTORE, ACCOUNT]),
    Subject(
        "requests: import, cookies from a JSON file",
        [],
        [FILE, "import requests", COOKIES, LOADED, "requests.Session().cookies.update(cookies)"],
        "requests",
    ),
    Subject(
        "msal-extensions: import, FilePersistence.load",
        [],
        [MSAL, "cookies = json.loads(kept.load())", LOADED],
        "msal_extensions",
    ),
    Subject(
        "botocore: import, JSONFileCache[…]",
        [],
        [BOTOCORE, "cookies = kept['session']", LOADED],
        "botocore",
    ),
]
# Without the import, which the first call of an invocation has paid.
RESTORING_AGAIN = [
    Subject("sessionkeeper: restore once more", [OPEN, RESTORE], [RESTORE, ACCOUNT]),
    Subject(
        "msal-extensions: FilePersistence.load",
        [MSAL],
        ["cookies = json.loads(kept.load())", LOADED],
        "msal_extensions",
    ),
    Subject(
        "botocore: JSONFileCache[…]", [BOTOCORE], ["cookies = kept['session']", LOADED], "botocore"
    ),
]
FORGETTING = [
    Subject(
        "sessionkeeper: logout(local_only=True)",
        [OPEN, LOG_IN],
        ["assert keeper.logout(local_only=True).local == 'cleared'"],
    ),
    Subject(
        "msal-extensions: FilePersistence.save('{}')",
        [MSAL],
        ["kept.save('{}')"],
        "msal_extensions",
    ),
    Subject("botocore: del JSONFileCache[…]", [BOTOCORE], ["del kept['session']"], "botocore"),
]
ONLINE = [
    Subject(
        "log out, proved by the server",
        [OPEN, LOG_IN],
        ["assert keeper.logout().remote == 'revoked'"],
    ),
    Subject("log in: three pages, callback, stored", [OPEN], [LOG_IN]),
]
AWAY = Subject("log out, server away", [OPEN], ["assert keeper.logout().remote == 'deferred'"])
