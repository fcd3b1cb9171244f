"""The JSON of users, sessions and devices, with the fields that clients are known to read."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .devices import Session, Store, User


class Shapes:
    def __init__(self, store: Store) -> None:
        self._store = store
        # Whose e-mail address is an administrator's.
        self.administrator = ""

    def is_administrator(self, user: User) -> bool:
        return bool(self.administrator) and user.email == self.administrator

    def user(self, user: User) -> dict[str, Any]:
        return {
            "Name": user.email,
            "ServerId": self._store.server_id,
            "Id": user.id,
            "HasPassword": True,
            "HasConfiguredPassword": True,
            "Configuration": {"PlayDefaultAudioTrack": True, "SubtitleMode": "Default"},
            "Policy": {
                "IsAdministrator": self.is_administrator(user),
                "IsHidden": False,
                "IsDisabled": user.disabled,
                "EnableRemoteAccess": True,
                "EnableAllDevices": True,
            },
        }

    def session(self, session: Session) -> dict[str, Any]:
        return {
            "PlayState": {"CanSeek": False, "IsPaused": False, "IsMuted": False},
            "AdditionalUsers": [],
            "RemoteEndPoint": "127.0.0.1",
            "PlayableMediaTypes": [],
            "Id": session.id,
            "UserId": self._store.users[session.email].id,
            "UserName": session.email,
            "Client": session.client,
            "LastActivityDate": moment(session.seen_at),
            "DeviceName": session.device,
            "DeviceId": session.device_id,
            "ApplicationVersion": session.version,
            "IsActive": True,
            "SupportsRemoteControl": False,
            "ServerId": self._store.server_id,
            "SupportedCommands": [],
        }

    def device(self, session: Session) -> dict[str, Any]:
        return {
            "Name": session.device,
            "Id": session.device_id,
            "LastUserName": session.email,
            "LastUserId": self._store.users[session.email].id,
            "AppName": session.client,
            "AppVersion": session.version,
            "DateLastActivity": moment(session.seen_at),
        }

    def login(self, session: Session) -> dict[str, Any]:
        return {
            "User": self.user(self._store.users[session.email]),
            "SessionInfo": self.session(session),
            "AccessToken": session.token,
            "ServerId": self._store.server_id,
        }


def moment(at: float) -> str:
    """As .NET writes it, with seven digits."""
    text = datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text}0Z"
