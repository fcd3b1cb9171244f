"""Stand-in for Real-Debrid: device login with credentials bound to the user, renewal, disabling.

As https://api.real-debrid.com/ documents it. Where that is silent, as strict as it may be: an
undecided, a denied, an expired and an unknown code are answered alike, and disabling a token ends
that token, not what renews it.
"""

# Of all open-source applications.
CLIENT_ID = "X245A4XAIBGVM"
GRANT = "http://oauth.net/grant_type/device/1.0"
