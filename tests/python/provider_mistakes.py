"""Typical mistakes in a provider file, and what is to be said of each. Not a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GOOD = (Path(__file__).parent / "provider_good.toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Mistake:
    """What stands where something else should, and what is to be said of it: the key, words of the
    message, a pattern of the hint (the reference where the message says it all). Where `line` is
    empty, the line is the first that is not as it should be; else the one that holds it."""

    right: str
    wrong: str
    key: str
    message: str
    hint: str = "provider-keys.md"
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
    # How a credential is carried
    "a header's unknown value": Mistake(
        'X-App-Token = "{access_token}"',
        'X-App-Token = "{token}"',
        "api.headers.X-App-Token",
        "no value is called 'token'",
        "{access_token}",
    ),
    "two for one header": Mistake(
        'headers = { X-App-Token = "{access_token}", X-App = "kodi" }',
        'basic = ["kodi", "{access_token}"]\nheaders = { Authorization = "Token" }',
        "api.headers.Authorization",
        "this header is set by `basic` already",
        "one of the two",
        line="Authorization",
    ),
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
        "logout.steps[2].url",
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
        'url = "{base}/me"',
        'url = "/me"',
        "logout.probe.url",
        "'/me' is not an address in full, as in",
    ),
    "a pattern": Mistake(
        '"login.example.com"]',
        '"*.example.com"]',
        "hosts[1]",
        "a pattern: list each host by itself",
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
    "a domain that is everybody's": Mistake(
        'hosts = ["{base}", "login.example.com"]\ncookie_domains = ["example.com"]',
        'hosts = ["{base}", "login.example.com", "shop.co.uk"]\ncookie_domains = ["co.uk"]',
        "cookie_domains",
        "anybody can have a name under 'co.uk'",
        "example.co.uk",
        line="cookie_domains",
    ),
    "a host of a service where anybody can have one": Mistake(
        'hosts = ["{base}", "login.example.com"]\ncookie_domains = ["example.com"]',
        'hosts = ["{base}", "login.example.com", "me.github.io"]\ncookie_domains = ["github.io"]',
        "cookie_domains",
        "anybody can have a name under 'github.io'",
        "the service alone",
        line="cookie_domains",
    ),
    "a host at port 0": Mistake(
        '"login.example.com"]', '"login.example.com:0"]', "hosts[1]", "names the port 0"
    ),
    "an address at port 0": Mistake(
        'url = "{base}/me"', 'url = "https://api.example.com:0/me"', "logout.probe.url", "port 0"
    ),
    "a website that is a file": Mistake(
        'website = "{base}"',
        'website = "file:///etc/passwd"',
        "website",
        'is no web page: write it as in "https://www.example.com"',
    ),
    "a website that is a script": Mistake(
        'website = "{base}"', 'website = "javascript:alert(1)"', "website", "is no web page"
    ),
    "a bell in a name": Mistake(
        'name = "Example"', r'name = "Exam\u0007ple"', "name", "control character U+0007", "out"
    ),
    "a line break in a list": Mistake(
        '"Container.Refresh"',
        r'"Container.Refresh\n"',
        "after_logout.builtins[0]",
        "control character U+000A",
        "out",
    ),
    "writing that is turned round": Mistake(
        'about = "the address',
        'about = "\\u202Ethe address',
        "parameters.base.about",
        "U+202E",
        "out",
    ),
    "more pages than any service has": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "hosted_form"\nsubmit = { name = "f", url = "{base}/f", form = {},'
        ' refused_class = "x" }\npages = [' + '{ name = "p", url = "{base}/p" }, ' * 11 + "]\n\n",
        "login.pages",
        "11 of them; no more than 10",
        "one deadline",
        line="pages",
    ),
    "a bearer host that is no host": Mistake(
        'bearer_hosts = ["{base}"]',
        'bearer_hosts = ["cdn.example.com"]',
        "api.bearer_hosts[0]",
        "not one of the `hosts`",
        "List it there",
    ),
    # Keys
    "nearly right, at the top": Mistake(
        "cookie_domains =",
        "cookie_domain =",
        "cookie_domain",
        "unknown field `cookie_domain`, expected one of `id`, `name`, `website`",
    ),
    "nearly right, in a table with a flow": Mistake(
        "refused_status =",
        "refused_statuses =",
        "logout.probe.refused_statuses",
        "`refused_statuses`, expected one of `method`, `url`, `query`, `headers`, `json`, `form`",
    ),
    "nearly right, in the second of two": Mistake(
        'query = { sid = "{claim.sid}" }',
        'quary = { sid = "{claim.sid}" }',
        "logout.steps[2].quary",
        "unknown field `quary`, expected one of `method`, `url`, `url_from`, `query`",
    ),
    "quite wrong": Mistake(
        "current = ",
        "whose = ",
        "everywhere.whose",
        "`form`, `steps`, `sessions`, `id`, `current`, `end_url`",
    ),
    "missing": Mistake(
        'method = "GET"\n',
        "",
        "logout.steps[2]",
        "missing field `method`",
        line="[[logout.steps]]",
    ),
    "missing at the top": Mistake(
        'name = "Example"\n',
        "",
        "",
        "missing field `name`",
        line="# What",
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
        "invalid type: map, expected a sequence",
    ),
    # Flows
    "no flow": Mistake(
        '[renew]\nflow = "request"',
        "[renew]",
        "renew",
        'expected a table with a `flow`, as in flow = "request"',
        line="[renew]",
    ),
    "a flow that is none": Mistake(
        'flow = "password"',
        'flow = "passwords"',
        "login",
        "`passwords`, expected one of `hosted_form`, `password`, `device_code`",
        line="[login]",
    ),
    "two ways in of one kind": Mistake(
        between("[login]", "[renew]"),
        between("[login]", "[renew]").replace("[login]", "[[login]]") * 2,
        "login[1]",
        "another way in asks the user for the same",
        "one with a code",
        line="[[login]]",
    ),
    "a mistake in one of several ways in": Mistake(
        between("[login]", "[renew]"),
        between("[login]", "[renew]").replace("[login]", "[[login]]").replace('"en"', '"{en}"'),
        "login[0].query.lang",
        "no value is called 'en'",
        "username",
        line="query = { lang",
    ),
    "a flow without its table": Mistake(
        between("[oauth]", "[renew]"),
        '[login]\nflow = "device_code"\n',
        "login.flow",
        "needs a table [oauth]",
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
    # OAuth
    "a client's place that is none": Mistake(
        'client_auth = "basic"',
        'client_auth = "header"',
        "oauth.client_auth",
        "`header`, expected one of `body`, `basic`, `none`",
    ),
    "an encoding that is none": Mistake(
        'encoding = "json"', 'encoding = "xml"', "oauth.encoding", "expected `form` or `json`"
    ),
    "a secret that is never sent": Mistake(
        'client_auth = "basic"',
        'client_auth = "none"\nclient_secret = "s"',
        "oauth.client_secret",
        "it is never sent",
        "Take the secret out",
        line="client_secret",
    ),
    "a login page without https": Mistake(
        'authorization_endpoint = "https:',
        'authorization_endpoint = "http:',
        "oauth.authorization_endpoint",
        "no https address that a person can open",
        "https://www.example.com/authorize",
    ),
    "a field that a flow rests on": Mistake(
        'prompt = "consent"',
        'state = "x"',
        "oauth.extra.authorization.state",
        "Sessionkeeper sends this itself",
        "where it belongs",
    ),
    "a kind of request that is none": Mistake(
        "extra.authorization",
        "extra.authorize",
        "oauth.extra.authorize",
        "expected one of `authorization`, `device`, `token`, `revocation`",
    ),
    "a value that no field may hold": Mistake(
        'installation = "{device_id}"',
        'installation = "{username}"',
        "oauth.extra.device.installation",
        "no value is called 'username'",
        "Known here: {device_id}",
    ),
    "a header of ours at an OAuth server": Mistake(
        'X-Api-Version = "2"',
        'Host = "a"',
        "oauth.headers.Host",
        "sets this header itself",
    ),
    "a name for a field that has none": Mistake(
        'device_code = "code"',
        'devicecode = "code"',
        "oauth.names.devicecode",
        "no request has a field 'devicecode'",
        "client_id, client_secret, code, device_code",
    ),
    "a name of another field": Mistake(
        'device_code = "code"',
        'device_code = "client_id"',
        "oauth.names.device_code",
        "'client_id' is the name of another field already",
        "two names",
    ),
    "an empty name": Mistake(
        'device_code = "code"', 'device_code = ""', "oauth.names.device_code", "cannot be a name"
    ),
    "a grant that has no other name": Mistake(
        "grant_types.device_code",
        "grant_types.password",
        "oauth.grant_types.password",
        "unknown field `password`, expected `device_code`",
    ),
    "a word at no pointer": Mistake(
        'error = "/message"', 'error = "message"', "oauth.error", 'as in "/message"'
    ),
    "a browser that ends nowhere": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "authorization_code"\nredirect_uris = []\n\n',
        "login.redirect_uris",
        "at least one",
        "http://127.0.0.1/callback",
        line="redirect_uris",
    ),
    "a browser that ends at a name": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "authorization_code"\nredirect_uris = ["http://localhost/back"]\n\n',
        "login.redirect_uris[0]",
        "write https://, or for this machine http://127.0.0.1/callback",
        line="redirect_uris",
    ),
    "a browser that ends twice": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "authorization_code"\n'
        'redirect_uris = ["https://a.example/", "https://b.example/"]\n\n',
        "login.redirect_uris[1]",
        "only the first would be used",
        "is the most",
        line="redirect_uris",
    ),
    "an address as no browser writes it": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "authorization_code"\nredirect_uris = ["https://a.example"]\n\n',
        "login.redirect_uris[0]",
        "write it as browsers do, 'https://a.example/'",
        line="redirect_uris",
    ),
    "nothing that ends a session": Mistake(
        between("[renew]", "[[logout.steps]]\nflow"),
        '[renew]\nflow = "refresh_token"\nrefused_error = []\n\n',
        "renew.refused_error",
        "nothing would say that the session is over",
        "invalid_grant",
        line="refused_error",
    ),
    # Values and templates
    "a value nobody knows": Mistake(
        '"{refresh_token}"',
        '"{refreshtoken}"',
        "renew.json.token",
        "no value is called 'refreshtoken'",
        "Known here: {access_token}, {refresh_token}",
    ),
    "a parameter nobody knows": Mistake(
        '"{base}/me"',
        '"{bas}/me"',
        "logout.probe.url",
        "no parameter is called 'bas'",
    ),
    "no second brace": Mistake(
        '"{username}"',
        '"{username"',
        "login.json.email",
        'as in "{username}"',
    ),
    "a password in an address": Mistake(
        'lang = "en"', 'lang = "{password}"', "login.query.lang", "'password'", "body alone"
    ),
    "a token in an address": Mistake(
        '"{claim.sid}"',
        '"{access_token}"',
        "logout.steps[2].query.sid",
        "'access_token'",
        "no address.*{claim.NAME}",
    ),
    "a header of ours": Mistake(
        'query = { lang = "en" }',
        'headers = { Cookie = "a=b" }',
        "login.headers.Cookie",
        "sets this header itself: cookies are sent by themselves",
    ),
    # Questions
    "an answer that is not sent": Mistake(
        'code = "{answer}"',
        'code = "{username}"',
        "login.question",
        "does not carry the answer",
        r"\{answer\}",
        line="[login.question]",
    ),
    "an answer in an address": Mistake(
        'url = "{base}/code"',
        'url = "{base}/code"\nquery = { code = "{answer}" }',
        "login.question.query.code",
        "no value is called 'answer'",
        "body alone, of the request of a question",
    ),
    "an answer before the question": Mistake(
        'lang = "en"', 'lang = "{answer}"', "login.query.lang", "'answer'", "body alone"
    ),
    "a question that nothing shows": Mistake(
        'when = { status = 403, json = { "/error" = "second_factor" } }',
        "when = {}",
        "login.question.when",
        "it says nothing",
        "status = 400",
    ),
    "a kind that is none": Mistake(
        'kind = "totp"',
        'kind = "otp"',
        "login.question.kind",
        "`otp`, expected one of `totp`, `mail`, `sms`, `pin`, `text`",
    ),
    "no words for the question": Mistake(
        '"the code from your authenticator app"',
        '" "',
        "login.question.about",
        'as in "the code from your authenticator app"',
    ),
    "a session before the answer": Mistake(
        "take.ticket",
        "take.access_token",
        "login.question.take.access_token",
        "a value of the session has this name",
        "Call it something else",
    ),
    "more tries than anybody has": Mistake(
        "tries = 5", "tries = 11", "login.question.tries", "11 is no number of tries: use 1 to 10"
    ),
    "an answer that is fetched": Mistake(
        'url = "{base}/code"',
        'method = "GET"\nurl = "{base}/code"',
        "login.question.method",
        "sent by POST",
        "Leave it out",
    ),
    "a mistake in one of several questions": Mistake(
        between("[login.question]", "[renew]"),
        between("[login.question]", "[renew]").replace("[login.question]", "[[login.question]]")
        + between("[login.question]", "[renew]")
        .replace("[login.question]", "[[login.question]]")
        .replace("{ticket}", "{tickets}"),
        "login.question[1].json.ticket",
        "no value is called 'tickets'",
        "ticket",
        line="tickets",
    ),
    # Kinds of values
    "a list that is none": Mistake(
        "refused_status = [401]",
        "refused_status = 401",
        "logout.probe.refused_status",
        "integer `401`, expected a sequence",
    ),
    "a number in quotes": Mistake(
        "status = [200]",
        'status = ["200"]',
        "logout.steps[2].proof.status[0]",
        'string "200", expected u16',
    ),
    "an unknown value, deep in a body": Mistake(
        'email = "{username}"',
        'user = { emails = [1, "{name}"] }',
        "login.json.user.emails[1]",
        "no value is called 'name'",
        "username",
    ),
    "a list for a body": Mistake(
        'json = { token = "{refresh_token}" }',
        'json = ["{refresh_token}"]',
        "renew.json",
        "the body is a table",
        "As in json",
    ),
    "a value in the place of a host": Mistake(
        'url = "{base}/refresh"',
        'url = "https://{host}/refresh"',
        "renew.url",
        "no parameter is called 'host'; other values stand in the path alone",
    ),
    "a token in the path": Mistake(
        'url = "{base}/refresh"',
        'url = "{base}/refresh/{refresh_token}"',
        "renew.url",
        "no value is called 'refresh_token'",
        "Known here",
    ),
    "nothing that it is taken from": Mistake(
        'take.next = ["/logout_url"]',
        'take.next = { or_cookie = "next" }',
        "logout.steps[1].take.next",
        "name one of json, input, meta, header, cookie, redirect",
    ),
    "a name that means something else": Mistake(
        'take.next = ["/logout_url"]',
        'take.device_id = ["/logout_url"]',
        "logout.steps[1].take.device_id",
        "this name means something else already",
        "something else",
    ),
    "a refusal that says nothing": Mistake(
        "refused_status = [401]",
        "refused = { }",
        "logout.probe.refused",
        "it says nothing",
        "status = 400",
    ),
    "an end that nothing shows": Mistake(
        "ended = { status = 410 }",
        "ended = []",
        "logout.steps[1].ended",
        "name at least one sign",
        "status = 400",
    ),
    "a step that is switched off by nothing": Mistake(
        "unavailable = { status = 403 }",
        "unavailable = { status = [] }",
        "login.steps[0].unavailable",
        "it says nothing",
        "status = 400",
    ),
    "no way to tell a refusal": Mistake(
        "refused_status = [401]",
        "bearer = true",
        "logout.probe",
        "say how a dead session is refused",
        "refused_status",
        line="[logout.probe]",
    ),
    "a value that is kept and never taken": Mistake(
        'keep = ["user_id"]',
        'keep = ["client"]',
        "session.keep[0]",
        "no login takes 'client'",
        "take = ",
    ),
    "a secret that everybody can read": Mistake(
        'example = "https://api.example.com"\n',
        'example = "https://api.example.com"\nsecret = true\ndefault = "https://api.example.com"\n',
        "parameters.base.default",
        "what stands in a file is no secret",
        "Leave one",
        line="default =",
    ),
    "a poll without a step": Mistake(
        between("[login]", "[renew]"),
        '[login]\nflow = "poll"\nsteps = []\nshow.url = "https://a.example"\n'
        'poll = { url = "{base}/x", done = { status = 200 }, pending = { status = 404 } }\n',
        "login.steps",
        "name at least one, which asks for the code",
        "login.steps",
        line="steps = []",
    ),
    "a name for a pointer": Mistake(
        '"/person/name"',
        '"person.name"',
        "session.answer.account_name",
        'not a JSON pointer: each name has a slash, as in "/person/name"',
    ),
    "small letters": Mistake(
        'method = "GET"',
        'method = "get"',
        "logout.steps[2].method",
        "`get`, expected one of `GET`, `POST`, `DELETE`",
    ),
    # Proofs, and the rest
    "a status alone": Mistake(
        'json = { "/success" = true }\n',
        "",
        "logout.steps[2].proof",
        "proves nothing",
        r"\[logout.probe\]",
        line="[logout.steps.proof]",
    ),
    "a redirect beside cookies": Mistake(
        'json = { "/success" = true }\n',
        'deletes = [["sid"]]\nlocations = ["https://login.example.com/"]\n',
        "logout.steps[2].proof.locations",
        "beside `deletes` the redirect decides nothing",
        "Leave one of the two out",
        line="locations =",
    ),
    "an error that proves": Mistake(
        "status = [200]",
        "status = [200, 503]",
        "logout.steps[2].proof.status",
        "503 cannot tell",
    ),
    "a place without a redirect": Mistake(
        'json = { "/success" = true }',
        'locations = ["https://login.example.com/"]',
        "logout.steps[2].proof.status",
        "no Location",
        r"\[302\]",
        line="status = [200]",
    ),
    "a probe that a living session fails": Mistake(
        "refused_status = [401]",
        "refused_status = [401, 200]",
        "logout.probe.refused_status",
        "200 cannot tell",
    ),
    "a probe that a busy server fails": Mistake(
        "refused_status = [401]",
        "refused_status = [401, 429]",
        "logout.probe.refused_status",
        "429 cannot tell",
    ),
    "a probe without credentials": Mistake(
        'token_cookies = ["access"]\n',
        "",
        "logout.probe",
        "carries no token",
        "bearer = true",
        line="[logout.probe]",
    ),
    "nothing taken": Mistake(
        'url = "{base}/logout"\nquery = { sid = "{claim.sid}" }',
        'url_from = "logout_url"',
        "logout.steps[2].url_from",
        "no earlier step takes 'logout_url'",
        "take.logout_url",
    ),
    "no place for the id": Mistake(
        "sessions/{id}", "sessions/id", "everywhere.end_url", "the session's id", "{id}"
    ),
    "a way out of the directory": Mistake(
        '"cache/thumbnails"',
        '"../other"',
        "after_logout.delete[0]",
        'below the data directory, as in "cache/thumbnails"',
    ),
    "any builtin": Mistake(
        '"Container.Refresh"',
        '"RunScript(x)"',
        "after_logout.builtins[0]",
        "not run after a logout",
        "Container.Refresh",
    ),
    # Who it is for
    "a revision that is no number": Mistake("revision = 2", 'revision = "2"', "revision", "u32"),
    "nobody's audience": Mistake(
        '"developer"', '"everybody"', "audience", "expected `viewer` or `developer`"
    ),
    "asked how": Mistake("asked = true", 'asked = "yes"', "parameters.base.asked", "a boolean"),
    # TOML itself
    "no second quote": Mistake('name = "Example"', 'name = "Example', "", "string", "quotes"),
    "no comma": Mistake('"{base}", "login', '"{base}" "login', "", "comma", "TOML"),
}
