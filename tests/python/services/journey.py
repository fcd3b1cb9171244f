"""What a viewer does with each service: in, back after a restart, renewed, out, and out for real.

A service's own file has a subclass, with its case and with what is true of it alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

import sessionkeeper
from tests.python.services.case import BROWSER, CODE, PASSWORD, Case
from tests.python.services.service import Service, failure, secrets_of
from tests.servers.exchange import exchange


def told(service: Service, report: sessionkeeper.LogoutReport) -> None:
    """The outcome is the best that the service documents, and nothing better is said."""
    assert (report.local, report.remote) == ("cleared", service.case.outcome), report


class Journey:
    case: ClassVar[Case]

    def test_in_back_after_a_restart_and_out_twice(self, service: Service) -> None:
        session = service.log_in(service.open())
        assert session.account.id
        assert session.account.email or session.account.name, session.account
        back = service.open().restore()
        assert back is not None
        assert back.account == session.account
        assert back.renewable == service.case.renews
        answer = service.ask(back)
        assert answer.status_code == 200, answer.text
        use = service.copied(back)
        assert use() == 200
        told(service, service.open().logout())
        self.is_over(service, use())
        assert service.open().restore() is None
        if service.case.outcome == "revoked":
            assert not any(service.alive())
            assert service.open().outbox() == []
        sent = len(service.server.journal())
        again = service.open().logout()
        assert (again.local, again.remote) == ("already_signed_out", "nothing_to_revoke")
        assert len(service.server.journal()) == sent

    def is_over(self, service: Service, status: int) -> None:
        """The old credential was tried."""
        case = service.case
        assert status == (200 if case.lives_on or case.lingers else case.refused)

    def test_out_without_the_network_is_delivered_later(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        use = service.copied(service.log_in(keeper))
        service.server.stop()
        report = keeper.logout()
        deferred = service.case.outcome if service.case.lives_on else "deferred"
        assert (report.local, report.remote) == ("cleared", deferred)
        assert service.open().restore(offline=True) is None
        service.server.start()
        assert use() == 200
        if service.case.lives_on:
            return
        drained = service.open().drain()
        expected = (1, 0) if service.case.outcome == "revoked" else (0, 1)
        assert (drained.revoked, drained.unconfirmed) == expected, drained
        self.is_over(service, use())
        # Nothing is said twice.
        again = service.open().drain()
        assert (again.revoked, again.unconfirmed) == (0, 0)

    def test_two_accounts(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        first = service.copied(service.log_in(keeper))
        other = service.log_in(keeper, service.case.other)
        second = service.copied(other)
        assert (first(), second()) == (200, 200)
        assert len(keeper.accounts()) == 2
        told(service, keeper.logout())
        self.is_over(service, second())
        assert first() == 200
        (left,) = keeper.accounts()
        assert left.account.id != other.account.id
        back = keeper.switch(left.account.id)
        assert back is not None
        assert service.ask(back).status_code == 200
        told(service, keeper.logout())
        self.is_over(service, first())
        assert keeper.accounts() == []

    def test_two_devices_of_one_account(self, service: Service) -> None:
        here, there = service.open("here"), service.open("there")
        first = service.copied(service.log_in(here))
        second = service.copied(service.log_in(there))
        assert (first(), second()) == (200, 200)
        if not service.case.everywhere:
            with pytest.raises(sessionkeeper.InvalidInput, match="no way to end"):
                here.logout(everywhere=True)
            assert (first(), second()) == (200, 200)
        told(service, here.logout())
        self.is_over(service, first())
        assert second() == (service.case.refused if service.case.ends_all else 200)

    def test_everywhere(self, service: Service) -> None:
        if not service.case.everywhere:
            pytest.skip("the service has no such way")
        here, there = service.open("here"), service.open("there")
        other = service.copied(service.log_in(there))
        use = service.copied(service.log_in(here))
        report = here.logout(everywhere=True)
        assert (report.local, report.remote) == ("cleared", service.case.everywhere), report
        assert (use(), other()) == (service.case.refused, service.case.refused)
        assert not any(service.alive())

    def test_ended_by_somebody_else(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        session = service.log_in(keeper)
        self.end(service)
        with pytest.raises(sessionkeeper.SessionExpired):
            self.notice(service, keeper, session)
        assert service.open().restore() is None
        assert keeper.logout().remote == "nothing_to_revoke"
        service.log_in(keeper)
        assert service.alive()[-1]

    def notice(
        self, service: Service, keeper: sessionkeeper.Keeper, session: sessionkeeper.Session
    ) -> object:
        """What tells of an end: an access token may go on where only its renewal ends."""
        return keeper.renew() if service.case.lingers else service.ask(session)

    def end(self, service: Service) -> None:
        for one in service.server.sessions():
            service.server.end_session(one["id"])

    def test_logged_in_again_ends_the_earlier_login(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        first = service.copied(service.log_in(keeper))
        second = service.log_in(keeper)
        keeper.drain()
        if service.case.ends_all:
            pytest.skip("whatever ends the earlier login ends this one, too")
        assert service.ask(second).status_code == 200
        self.is_over(service, first())
        assert len(keeper.accounts()) == 1

    def test_a_wrong_password_or_no(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        if service.way == PASSWORD:
            wrong = "Bussard5Habicht8Sperber"
            shown = failure(
                lambda: keeper.login(service.case.viewer[0], wrong),
                sessionkeeper.CredentialsRefused,
            )
            assert service.leaks(keeper, {"wrong password": wrong}, shown) == []
        elif service.way == CODE:
            self.deny(service, keeper)
        assert keeper.status().state == "signed_out"
        assert not any(service.alive())
        assert keeper.outbox() == []

    def deny(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        """Where the service tells nobody, the code is waited for until it is over."""
        login = keeper.start_device_login()
        service.approve(login, deny=True)
        if service.case.denial == "denied":
            with pytest.raises(sessionkeeper.LoginDenied):
                login.wait()

    def test_a_code_that_nobody_enters(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        if service.way != CODE:
            pytest.skip("there is no code")
        name = self.lifetime
        service.server.settings(**{name: 2})
        login = keeper.start_device_login()
        with pytest.raises(sessionkeeper.CodeExpired):
            login.wait()
        assert keeper.status().state == "signed_out"

    # What the stand-in calls the time that a code is good for.
    lifetime: ClassVar[str] = "device_expires_in"

    def test_a_code_that_is_over_at_the_server(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        if service.way != CODE or not service.case.tells_expiry:
            pytest.skip("nothing is told")
        login = keeper.start_device_login()
        service.server.settings(clock_offset=3000)
        with pytest.raises(sessionkeeper.CodeExpired):
            login.wait()
        assert not any(service.alive())

    def test_first_pending_then_done(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        if service.way != CODE:
            pytest.skip("there is no code")
        login = keeper.start_device_login()
        asked: list[int] = []

        def seen() -> bool:
            """Enters the code once the server has said "pending"."""
            polls = self.polls(service)
            if polls and not asked:
                asked.append(polls)
                service.approve(login)
            return False

        session = login.wait(stop=seen)
        assert asked
        assert service.ask(session).status_code == 200

    def polls(self, service: Service) -> int:
        return sum(self.is_poll(one) for one in service.server.journal())

    def is_poll(self, entry: dict[str, Any]) -> bool:
        found: bool = entry["path"].startswith(self.poll_path)
        return found and entry["answer"] is not None

    # Where it is asked whether the viewer is done.
    poll_path: ClassVar[str] = ""

    def test_no_secret_is_told(self, service: Service) -> None:
        keeper = service.open(log_level="debug")
        session = service.log_in(keeper)
        secrets = secrets_of(session)
        if service.way != CODE:
            secrets["password"] = service.case.viewer[1]
        shown: list[object] = [session, session.status, session.account, service.ask(session)]
        if service.case.renews:
            secrets |= {f"renewed {k}": v for k, v in secrets_of(keeper.renew()).items()}
        self.end(service)
        shown += failure(
            lambda: self.notice(service, keeper, session), sessionkeeper.SessionExpired
        )
        shown += [keeper.logout(), keeper.drain()]
        assert service.leaks(keeper, secrets, shown) == []

    def test_its_file_has_no_mistake(self, service: Service) -> None:
        summaries = {one.id: one for one in sessionkeeper.providers()}
        assert set(service.case.ways) <= set(summaries[service.case.provider].logins)
        assert service.way in (PASSWORD, CODE, BROWSER)


class Renewing(Journey):
    """Where access is renewed without the viewer. `token_path` is where."""

    token_path: ClassVar[str]

    def test_renewed_twice_and_nothing_is_sent_again(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.log_in(keeper)
        for _ in range(2):
            session = keeper.renew()
            assert service.ask(session).status_code == 200
        back = service.open().restore()
        assert back is not None
        assert service.ask(back).status_code == 200
        (one,) = service.server.sessions()
        assert (one["alive"], one.get("renewals", 2)) == (True, 2)
        told(service, keeper.logout())

    def test_renewed_when_the_access_is_over(self, service: Service) -> None:
        service.log_in(service.open())
        service.server.settings(clock_offset=self.lapse)
        session = service.open().restore()
        assert session is not None
        assert service.ask(session).status_code == 200
        (one,) = service.server.sessions()
        assert (one["alive"], one.get("renewals", 1)) == (True, 1)
        told(service, service.open().logout())

    # After so many seconds the access is over, and what renews it is not.
    lapse: ClassVar[int] = 90_000

    def test_a_renewal_whose_answer_was_lost_is_not_sent_again(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        if not service.case.rotates:
            pytest.skip("a refresh token serves again and again")
        service.log_in(keeper)
        service.server.fault(self.token_path, "reset_after_read", times=1)
        with pytest.raises(sessionkeeper.Error):
            keeper.renew()
        sent = self.renewals(service)
        with pytest.raises(sessionkeeper.Error):
            keeper.renew()
        assert self.renewals(service) == sent == 1

    def renewals(self, service: Service) -> int:
        sent = service.server.journal(self.token_path)
        return sum(one["grant_type"] == "refresh_token" for one in sent)

    def test_a_renewal_that_is_refused_tells_of_the_end(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.log_in(keeper)
        self.end(service)
        with pytest.raises(sessionkeeper.SessionExpired):
            keeper.renew()
        assert service.open().restore() is None

    def test_out_when_the_access_is_over(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.log_in(keeper)
        service.server.settings(clock_offset=self.lapse)
        report = keeper.logout()
        assert (report.local, report.remote) == ("cleared", service.case.outcome), report
        if report.remote == "revoked":
            assert not any(service.alive())


class AtHome(Journey):
    """A service that people run themselves, often without a certificate."""

    # Its name there.
    lan: ClassVar[str]

    def test_without_encryption_once_the_viewer_has_agreed(self, service: Service) -> None:
        service.server.settings(plain_http=True)
        base = f"http://{self.lan}:{service.server.port}"
        keeper = service.open(parameters={"base": base})
        assert keeper.unencrypted() == [base]
        with pytest.raises(sessionkeeper.EncryptionMissing):
            service.log_in(keeper)
        assert service.server.journal() == []
        keeper.allow_unencrypted(base)
        session = service.log_in(keeper)
        me = service.case.me.format(base=base)
        assert session.get(me).status_code == 200
        headers = dict(session.headers)
        told(service, keeper.logout())
        assert {one["scheme"] for one in service.server.journal()} == {"http"}
        assert exchange(service.server, "GET", me, headers=headers).status == 401
