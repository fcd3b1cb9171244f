"""Typical mistakes in a provider file, and what is to be said of each. Not a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GOOD = (Path(__file__).parent / "provider_good.toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Mistake:
    """What stands where something else should, and what is to be said of it: the key, words of the
    message, a pattern of the hint. Where `line` is empty, the line is the first that is not as it
    should be; else the one that holds it."""

    right: str
    wrong: str
    key: str
    message: str
    hint: str
    line: str = ""

    @property
    def text(self) -> str:
        """The file with the mistake in it."""
        assert GOOD.count(self.right) == 1, self.right
        return GOOD.replace(self.right, self.wrong)

    @property
    def number(self) -> int:
        """Of the line that is to be named."""
        lines = self.text.splitlines()
        if self.line:
            numbers = [number for number, line in enumerate(lines, 1) if self.line in line]
            return numbers[-1]
        usual = GOOD.splitlines()
        return 1 + next(i for i, line in enumerate(lines) if line != usual[i])


def between(first: str, last: str) -> str:
    """The part of the file from the one to before the other."""
    return GOOD[GOOD.index(first) : GOOD.index(last)]


MISTAKES = {
    # Addresses and hosts
    "http": Mistake(
        'url = "{base}/me"',
        'url = "http://api.example.com/me"',
        "logout.probe.url",
        "only https is used: http://api.example.com",
        "https://",
    ),
    "host not listed": Mistake(
        'url = "{base}/logout"',
        'url = "https://sso.example.com/logout"',
        "logout.steps[1].url",
        "not one of the provider's hosts",
        'add "sso.example.com" to `hosts`',
    ),
    "another port": Mistake(
        "https://login.example.com/token",
        "https://login.example.com:8443/token",
        "oauth.token_endpoint",
        "https://login.example.com:8443",
        '"login.example.com:8443"',
    ),
    "no host": Mistake(
        'url = "{base}/me"', 'url = "/me"', "logout.probe.url", "'/me' is not an address", "in full"
    ),
    "a pattern": Mistake(
        '"login.example.com"]', '"*.example.com"]', "hosts", "pattern", "each host by itself"
    ),
    "no hosts": Mistake(
        'hosts = ["{base}", "login.example.com"]',
        "hosts = []",
        "hosts",
        "at least one",
        "www.example.com",
    ),
    "a dot before a domain": Mistake(
        '["example.com"]',
        '[".example.com"]',
        "cookie_domains",
        "'.example.com' is not the domain",
        "without a leading dot",
    ),
    "a bearer host that is no host": Mistake(
        'bearer_hosts = ["{base}"]',
        'bearer_hosts = ["cdn.example.com"]',
        "api.bearer_hosts",
        "not one of the hosts",
        "list it there",
    ),
    # Keys
    "nearly right, at the top": Mistake(
        "cookie_domains =",
        "cookie_domain =",
        "cookie_domain",
        "no key `cookie_domain`",
        "Did you mean `cookie_domains`",
    ),
    "nearly right, in a table with a flow": Mistake(
        "refused_status =",
        "refused_statuses =",
        "logout.probe.refused_statuses",
        "no key `refused_statuses`",
        "Did you mean `refused_status`",
    ),
    "nearly right, in the second of two": Mistake(
        'query = { sid = "{claim.sid}" }',
        'quary = { sid = "{claim.sid}" }',
        "logout.steps[1].quary",
        "no key `quary`",
        "Did you mean `query`",
    ),
    "quite wrong": Mistake(
        "current = ", "whose = ", "everywhere.whose", "no key `whose`", "`current`"
    ),
    "missing": Mistake(
        'method = "GET"\n',
        "",
        "logout.steps[1].method",
        "missing",
        "docs/",
        line="[[logout.steps]]",
    ),
    "missing at the top": Mistake(
        'name = "Example"\n', "", "name", "missing", "docs/", line="# What"
    ),
    "twice": Mistake(
        'name = "Example"',
        'name = "A"\nname = "B"',
        "",
        "duplicate key",
        "each key once",
        line='"B"',
    ),
    "one bracket": Mistake(
        between("[[logout.steps]]\nflow", "[logout.steps.proof]"),
        '[logout.steps]\nflow = "revoke"\n\n',
        "logout.steps",
        "expected a list, found a table",
        r"\[\[logout.steps\]\]",
    ),
    # Flows
    "no flow": Mistake(
        '[renew]\nflow = "request"',
        "[renew]",
        "renew.flow",
        "missing",
        '"refresh_token"',
        line="[renew]",
    ),
    "a flow that is none": Mistake(
        'flow = "password"',
        'flow = "passwords"',
        "login.flow",
        "no flow 'passwords'",
        'Did you mean "password"',
    ),
    "a flow without its table": Mistake(
        between("[oauth]", "[renew]"),
        '[login]\nflow = "device_code"\n',
        "login.flow",
        "no table [oauth]",
        "client_id",
        line="device_code",
    ),
    "a flow without its endpoint": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "device_code"\n',
        "login.flow",
        "names no device_authorization_endpoint",
        "issuer",
    ),
    # Values and templates
    "a value nobody knows": Mistake(
        '"{refresh_token}"',
        '"{refreshtoken}"',
        "renew.json.token",
        "no value is called 'refreshtoken'",
        "Did you mean {refresh_token}",
    ),
    "a parameter nobody knows": Mistake(
        '"{base}/me"',
        '"{bas}/me"',
        "logout.probe.url",
        "no parameter is called 'bas'",
        "Did you mean {base}",
    ),
    "no second brace": Mistake(
        '"{username}"', '"{username"', "login.json.email", "without '}'", "{username}"
    ),
    "a password in an address": Mistake(
        'lang = "en"', 'lang = "{password}"', "login.query.lang", "'password'", "body alone"
    ),
    "a token in an address": Mistake(
        '"{claim.sid}"',
        '"{access_token}"',
        "logout.steps[1].query.sid",
        "'access_token'",
        "no address.*{claim.NAME}",
    ),
    "a header of ours": Mistake(
        'query = { lang = "en" }',
        'headers = { Cookie = "a=b" }',
        "login.headers.Cookie",
        "sets this header itself",
        "by themselves",
    ),
    # Kinds of values
    "a list that is none": Mistake(
        "refused_status = [401]",
        "refused_status = 401",
        "logout.probe.refused_status",
        "expected a list, found the number 401",
        "in brackets",
    ),
    "a number in quotes": Mistake(
        "status = [200]",
        'status = ["200"]',
        "logout.steps[1].proof.status[0]",
        'expected a number, found the text "200"',
        "without quotes",
    ),
    "more than flat": Mistake(
        'email = "{username}"',
        'user = { email = "{username}" }',
        "login.json.user",
        "expected a text, found a table",
        "flat",
    ),
    "a name for a pointer": Mistake(
        '"/person/name"',
        '"person.name"',
        "session.answer.account_name",
        "not a JSON pointer",
        '"/person/name"',
    ),
    "small letters": Mistake(
        'method = "GET"', 'method = "get"', "logout.steps[1].method", "'get'", '"GET"'
    ),
    # Proofs, and the rest
    "a status alone": Mistake(
        'json = { "/success" = true }\n',
        "",
        "logout.steps[1].proof",
        "proves nothing",
        r"\[logout.probe\]",
        line="[logout.steps.proof]",
    ),
    "nothing taken": Mistake(
        'url = "{base}/logout"\nquery = { sid = "{claim.sid}" }',
        'url_from = "logout_url"',
        "logout.steps[1].url_from",
        "no earlier step takes 'logout_url'",
        "take.logout_url",
    ),
    "no place for the id": Mistake(
        "sessions/{id}", "sessions/id", "everywhere.end_url", "the session's id", "{id}"
    ),
    "a way out of the directory": Mistake(
        '"cache/thumbnails"', '"../other"', "after_logout.delete[0]", "below", "cache/"
    ),
    "any builtin": Mistake(
        '"Container.Refresh"',
        '"RunScript(x)"',
        "after_logout.builtins[0]",
        "not run after a logout",
        "Container.Refresh",
    ),
    # TOML itself
    "no second quote": Mistake('name = "Example"', 'name = "Example', "", "string", "quotes"),
    "no comma": Mistake('"{base}", "login', '"{base}" "login', "", "comma", "TOML"),
}
