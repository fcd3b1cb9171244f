"""The calls that the public add-on for Angel Studios makes on its session, with these names and
arguments and in this order. Written from notes; none of its code is here.
"""

import angel_authentication

API = "https://api.angelstudios.com/graphql"


class Catalogue:
    def __init__(self, username=None, password=None, session_file="", logger=None, tracer=None):
        self.log = logger
        self.tracer = tracer
        self.angel_studios_session = angel_authentication.AngelStudioSession(
            username=username, password=password, session_file=session_file, logger=self.log
        )
        self.angel_studios_session.authenticate()
        self.session = self.angel_studios_session.get_session()
        if not self.session:
            raise Exception("no session")
        token = self.session.headers.get("Authorization")
        count = len(self.session.cookies) if self.session.cookies else 0
        self.title = f"token: {bool(token)}, cookies: {count}"

    def viewer(self):
        asked = {"operationName": "me", "query": "query me { me { email } }", "variables": {}}
        response = self.session.post(API, json=asked)
        response.raise_for_status()
        result = response.json()
        if "errors" in result:
            self.angel_studios_session.authenticate(force_reauthentication=True)
            return {}
        hidden = ("authorization", "cookie")
        shown = {k: v for k, v in self.session.headers.items() if k.lower() not in hidden}
        self.log.info(f"headers beside the secret ones: {shown}, status {response.status_code}")
        return result.get("data", {}).get("me", {})

    def session_check(self):
        if not self.angel_studios_session._validate_session():
            self.angel_studios_session.authenticate(force_reauthentication=True)
            if not self.angel_studios_session.session_valid:
                raise Exception("no session")

    def force_logout(self):
        try:
            result = self.angel_studios_session.logout()
            self.session = self.angel_studios_session.get_session()
            return result
        except Exception as error:
            self.log.error(f"logout failed: {error}")
            return False
