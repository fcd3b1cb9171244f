"""Stand-in for GitHub's device login, its tokens, and the three ways to revoke them.

As docs.github.com documents OAuth apps, GitHub Apps and the REST API. Where that is silent, as
strict as it may be: what accepts a list of credentials says 202 to any, and is not done at once.
"""

# Registered here; the secret is the author's, and no device needs it.
CLIENT_ID = "Ov23liSTANDIN0000app"
CLIENT_SECRET = "5" * 40
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
