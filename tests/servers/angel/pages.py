"""The HTML pages: much markup around few fields, as real ones have.

Around the true inputs lie others of the same name in comments, scripts and templates, entities in
values, and the words "error-message" where nothing is wrong. A client must not fall for them.
"""

from __future__ import annotations

from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="en" class="h-full antialiased">
<head>
  <meta charset="utf-8"/>
  <meta name="viewport" content="width=device-width, initial-scale=1"/>
  <meta name="csrf-token" content="meta-token-that-the-form-does-not-take"/>
  <title>{title} · Angel</title>
  <link rel="preconnect" href="https://images.example.net" crossorigin>
  <style>
    .error-message {{ color: #b00020; }}  form > input[name="state"] {{ display: none }}
  </style>
  <script>
    window.__FORM__ = "<input type=\\"hidden\\" name=\\"state\\" value=\\"decoy-script\\">";
    document.addEventListener("submit", function (e) {{ if (1 < 2 && e) {{ e.ok = true; }} }});
  </script>
</head>
<body class="h-full bg-black text-white">
  <!-- <input type="hidden" id="state" name="state" value="decoy-comment">
       <input type="hidden" name="_csrf_token" value="decoy-comment">
       <p class="error-message">Old template, kept for reference</p> -->
  <noscript><p class="notice">Please turn on JavaScript.</p></noscript>
  <header><nav><ul><li><a href="/">Home</a><li><a href="/watch">Watch</a></ul></nav>
    <form action="/search" method="get" role="search">
      <input type="search" name="q" placeholder="Films &amp; shows" value="">
    </form>
  </header>
  <main>
{body}
  </main>
  <footer><form action="/newsletter" method="post"><input name="newsletter_email" type="text">
  <button>Join</button></form><small>&copy; Angel &mdash; all rights reserved</small></footer>
</body>
</html>
"""


def email_page(state: str | None) -> str:
    """The first page of the login form. `state` None: no such input (a page variant)."""
    return _page(
        "Log in",
        f"""    <h1>Log in or sign up</h1>
    <form action="/u/login/password" method="get" class="space-y-6" data-step='email'>
      {_hidden("state", state)}
      <input type="hidden" name="client_id" value="angel_web">
      <label for=email>E-mail</label>
      <input required id=email name=email type=email autocomplete="username">
      <button type="submit">Continue</button>
    </form>""",
    )


def password_page(email: str, state: str | None, csrf: str | None, error: str = "") -> str:
    """The second page; with `error` the same page again, after a refusal."""
    shown = f'<p role="alert" class="mt-2 text-sm error-message">{escape(error)}</p>'
    action = f"/u/login?state={escape(state or '')}"
    return _page(
        "Password",
        f"""    <h1>Welcome back</h1>
    {shown if error else ""}
    <form action="{action}" method="post" class="space-y-6">
      {_hidden("_csrf_token", csrf)}
      <input type="hidden" name="email" value="{_entities(email)}">
      {_hidden("state", state)}
      <input name="password" type="password" autocomplete="current-password">
      <input type="checkbox" name="has_agreed" value="true" checked>
      <button type="submit">Log in</button>
    </form>
    <a href="/u/reset?email={_entities(email)}">Forgot your password?</a>""",
    )


def plain_page(title: str, text: str) -> str:
    return _page(title, f"    <h1>{escape(title)}</h1>\n    <p>{escape(text)}</p>")


def redirect_page(location: str) -> str:
    """The small body a redirect carries."""
    return (
        f'<html><body>You are being <a href="{escape(location)}">redirected</a>.'
        + "<!-- padding for old browsers -->" * 8
        + "</body></html>"
    )


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), body=body)


def _hidden(name: str, value: str | None) -> str:
    if value is None:
        return ""
    # The attributes are not in the order one would write them in, and one quote is single.
    value = _entities(value)
    return f'<input value="{value}" id=\'{name}\'\n        type=hidden name="{name}" />'


def _entities(value: str) -> str:
    """Escaped with named, decimal and hexadecimal references."""
    return escape(value).replace("+", "&#43;").replace("/", "&#x2F;").replace("=", "&#61;")
