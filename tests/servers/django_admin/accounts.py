"""Users and sessions, in Django's own tables. Only once Django is set up."""

from __future__ import annotations

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from tests.servers.front.ledger import Found
from tests.servers.front.store import FIRST


def add_first() -> None:
    if not User.objects.exists():
        for email, password, name in FIRST:
            add_user(email, password, name)


def add_user(email: str, password: str, name: str) -> None:
    """Somebody who may enter the admin, and do nothing there."""
    user, _ = User.objects.get_or_create(username=email, defaults={"email": email})
    user.first_name = name or email.partition("@")[0]
    user.is_staff = True
    user.set_password(password)
    user.save()


def users() -> list[dict[str, str]]:
    known = User.objects.order_by("pk")
    return [{"id": str(one.pk), "email": one.email, "name": one.first_name} for one in known]


def sessions() -> list[Found]:
    people = {str(user.pk): user for user in User.objects.all()}
    found = []
    for row in Session.objects.order_by("expire_date"):
        data = row.get_decoded()
        user = people.get(data.get(SESSION_KEY, ""))
        if user:
            of_password = constant_time_compare(
                data[HASH_SESSION_KEY], user.get_session_auth_hash()
            )
            alive = of_password and row.expire_date > timezone.now()
            found.append(Found(row.session_key, user.email, {row.session_key}, alive))
    return found


def end(session_key: str) -> None:
    Session.objects.filter(session_key=session_key).delete()


def forget() -> None:
    Session.objects.all().delete()
