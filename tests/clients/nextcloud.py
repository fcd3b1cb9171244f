"""Login flow v2, a request and the end of the app password with nc_py_api."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from nc_py_api import Nextcloud, NextcloudException

from .viewer import approve


def main(base: str, control: str, name: str, password: str) -> dict[str, Any]:
    cloud = Nextcloud(nextcloud_url=base)
    flow = cloud.loginflow_v2.init(user_agent="Some program")
    viewer = threading.Thread(target=_allow, args=(control, flow.login, name, password))
    viewer.start()
    got = cloud.loginflow_v2.poll(flow.token, timeout=20)
    viewer.join()
    login = {"nc_auth_user": got.login_name, "nc_auth_pass": got.app_password}
    mine = Nextcloud(nextcloud_url=got.server, **login)
    me = mine.ocs("GET", "/ocs/v2.php/cloud/user")
    told = {"server": got.server, "id": mine.user, "email": me["email"]}
    told["major"] = mine.srv_version["major"]
    told["deleted"] = mine.ocs("DELETE", "/ocs/v2.php/core/apppassword")
    try:
        mine.ocs("GET", "/ocs/v2.php/cloud/user")
    except NextcloudException as error:
        told["after"] = error.status_code
    return told


def _allow(control: str, login: str, name: str, password: str) -> None:
    # It polls every second; the first time nothing was allowed yet.
    time.sleep(1.5)
    approve(control, login, name, password)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
