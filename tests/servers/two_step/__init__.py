"""Stand-in for a service that asks for a second thing after the password: the code of an
authenticator app (RFC 6238, by the time of day), or one that it has mailed.

    python -m tests.servers two-step [--port N] [--control-port N] [--directory D] [--with-parent]

On id.two-step-demo.example, in JSON:
    POST /v1/login     user, password -> {"ask": "app" | "mail", "ticket"} and the cookie `sid` of a
                       session that is good for nothing yet; 401 wrong password
    POST /v1/code      ticket, code -> {"access_token", "expires_in", "user"}; 403 wrong code, with
                       another ticket; 410 too late; the third wrong one ends the session
    POST /v1/logout    ends the session of the cookie, good for something or not; 401 there is none
    GET  /v1/me        with the bearer token
The same by forms and pages:
    GET  /signin       the form: login, pass, and a hidden `state`
    POST /signin       -> 303 /code; else the form again, with an element of class `wrong`
    GET  /code         the form: code, and a hidden `csrf`; too late: -> 303 /signin
    POST /code         -> 303 /home, with the cookie `token`; else the form again, class `wrong`

VIEWER has the app, whose key is `totp.KEY`; everybody else gets mail, and the control interface
shows the code among the sessions. A code serves once (RFC 6238 section 5.2).
"""
