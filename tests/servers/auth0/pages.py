"""Universal Login's pages, as far as a program can see them.

Each has the marks of client-side checks, which are hidden and say nothing, and a nameless password
field that no person sees. A refusal is an element `error-element-…`.
"""

from __future__ import annotations

from html import escape

_HIDDEN = "".join(
    f'<input type="hidden" id="{name}" name="{name}" value="false" />'
    for name in ("js-available", "webauthn-available", "is-brave", "webauthn-platform-available")
)


def form(
    kind: str, state: str, email: str = "", error: tuple[str, str] = ("", ""), *, captcha: bool
) -> str:
    """`kind`: identifier, password, or both. `error`: of which element, and what it says."""
    fields = [f'<input type="hidden" name="state" value="{escape(state)}" />']
    if kind == "password":
        fields.append(_field("username", "text", email, readonly=True))
    else:
        fields.append(_field("username", "text", email) + _checked("username"))
    if kind != "identifier":
        fields.append(_field("password", "password", "") + _checked("password"))
    else:
        trap = '<input class="hide" type="password" autoComplete="off" tabindex="-1"'
        fields.append(f'{trap} aria-hidden="true" />')
        fields.append(_HIDDEN)
    if captcha:
        fields.append('<img alt="captcha" src="data:," />' + _field("captcha", "text", ""))
    element, text = error
    if element == "prompt-alert":
        fields.insert(0, f'<div id="prompt-alert" role="alert"><p>{escape(text)}</p></div>')
    elif element:
        mark = f'id="error-element-{element}" class="ulp-input-error-message"'
        fields.append(f'<span {mark} data-error-code="wrong">{escape(text)}</span>')
    button = '<button type="submit" name="action" value="default">Continue</button>'
    inside = "\n".join([*fields, button])
    other = f'<a href="/u/signup/identifier?state={escape(state)}">Sign up</a>'
    return _page(
        "Log in",
        f'<form method="POST" class="c1 _form-login-id" data-form-primary="true">{inside}</form>'
        f"<p>Don&#39;t have an account? {other}</p>",
    )


def message(title: str, text: str) -> str:
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")


def _field(name: str, kind: str, value: str, *, readonly: bool = False) -> str:
    more = " readonly" if readonly else " required"
    return f'<input name="{name}" id="{name}" type="{kind}" value="{escape(value)}"{more} />'


def _checked(name: str) -> str:
    """For the script of the page, which fills and shows it."""
    return f'<div id="error-cs-{name}-required" class="ulp-error-info aria-error-check"></div>'


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{escape(title)} | Demo</title>'
        f'<meta name="ulp-version" content="1.110.0" /></head><body>{body}</body></html>'
    )
