"""Stand-in for an Auth0 tenant with Universal Login's pages, and an application of its own.

The endpoints are as auth0.com/docs documents them. The pages are no documented interface: they have
the fields, marks and statuses that programs which fill them have met.
"""

TENANT = "login.auth0-demo.example"
APPLICATION = "www.auth0-demo.example"
# A native application: public, with PKCE and rotating refresh tokens.
CLIENT_ID = "sTaNdInNativeApplication00000001"
# Of the website's own server, which keeps a secret.
SITE_ID = "sTaNdInWebsiteApplication0000001"
SITE_SECRET = "stand-in-secret-of-the-website"
CLIENTS = {CLIENT_ID: "", SITE_ID: SITE_SECRET}
CALLBACKS = {
    CLIENT_ID: f"https://{APPLICATION}/callback",
    SITE_ID: f"https://{APPLICATION}/auth/callback",
}
# Allowed Logout URLs of both.
LOGGED_OUT = f"https://{APPLICATION}/"
