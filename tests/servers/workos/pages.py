"""The HTML of AuthKit's device pages: a code to enter, a form to sign in, a question to answer."""

from __future__ import annotations

from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8"/>
  <meta name="viewport" content="width=device-width, initial-scale=1"/>
  <title>{title}</title>
</head>
<body>
  <main>
    <h1>{title}</h1>
{body}
  </main>
</body>
</html>
"""


def code_page(csrf: str, error: str = "") -> str:
    return _form(
        "Connect a device",
        "/device",
        csrf,
        error,
        """<label>Code shown on the device
        <input name="user_code" autocomplete="off" autocapitalize="characters" required></label>
      <button type="submit">Continue</button>""",
    )


def sign_in_page(csrf: str, return_to: str, error: str = "") -> str:
    return _form(
        "Sign in",
        "/sign-in",
        csrf,
        error,
        f"""<input type="hidden" name="return_to" value="{escape(return_to)}">
      <label>E-mail <input type="email" name="email" autocomplete="username" required></label>
      <label>Password
        <input type="password" name="password" autocomplete="current-password" required></label>
      <button type="submit">Sign in</button>""",
    )


def confirm_page(csrf: str, user_code: str, email: str) -> str:
    return _form(
        "Confirm your device",
        "/device/confirm",
        csrf,
        "",
        f"""<p>Does your device show <strong>{escape(user_code)}</strong>?
        It will be signed in as {escape(email)}.</p>
      <input type="hidden" name="user_code" value="{escape(user_code)}">
      <button type="submit" name="allow" value="yes">Confirm</button>
      <button type="submit" name="deny" value="yes">Deny</button>""",
    )


def plain_page(title: str, text: str) -> str:
    return _PAGE.format(title=escape(title), body=f"    <p>{escape(text)}</p>")


def _form(title: str, action: str, csrf: str, error: str, fields: str) -> str:
    shown = f'    <p role="alert">{escape(error)}</p>\n' if error else ""
    name = action.rpartition("/")[2]
    body = f"""{shown}    <form id="{name}" method="post" action="{action}">
      <input type="hidden" name="csrf_token" value="{escape(csrf)}">
      {fields}
    </form>"""
    return _PAGE.format(title=escape(title), body=body)
