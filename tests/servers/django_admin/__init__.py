"""Stand-in for any site with Django's admin, which nobody here wrote.

https://admin.home-demo.example/admin/ has a login form and a logout, both by POST with a CSRF
token. Over HTTPS such a POST must say where it comes from as well, by Origin or Referer.

Parts: application (Django, configured), urls, accounts (users and sessions in its database),
service (what the front sees).

A session is a row of Django's session table, somebody's:
    {"id", "email", "alive"}

A session lives 14 days from its login. A changed password ends all others of the same person.
"""
