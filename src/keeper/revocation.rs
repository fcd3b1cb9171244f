//! What is sent to end a session at the server: made of a session, or of cookies that never became
//! one, and sent within a deadline.

use super::Keeper;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::http::{Client, Jar};
use crate::logout::{self, Verdict};
use crate::outbox::{FIRST_TRY_LEASE, Outcome};
use crate::provider::Provider;
use crate::session::{Revocation, Session};
use crate::vault::random_id;
use std::time::Duration;

/// However short the deadline is set, this much is tried.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);

impl Keeper {
    /// What the outbox needs to end `session` at the server, left alone for `lease`. Where nothing
    /// can be sent, the verdict says why.
    pub(super) fn revocation(
        &self,
        session: &Session,
        lease: Duration,
    ) -> std::result::Result<Revocation, Verdict> {
        let jar = Jar::from_sealed(&session.cookies).unwrap_or_default();
        self.revocation_of(&self.provider, &jar, (&session.id, &session.account.id), lease)
    }

    pub(super) fn revocation_of(
        &self,
        provider: &Provider,
        jar: &Jar,
        (session_id, account): (&str, &str),
        lease: Duration,
    ) -> std::result::Result<Revocation, Verdict> {
        let credentials = logout::credentials(provider, jar);
        if credentials.is_empty() {
            return Err(nothing_to_send());
        }
        let expires_at = credentials.last_expiry_of(&provider.credential_cookies());
        if expires_at.is_some_and(|at| self.house.clock.is_past(at)) {
            return Err(credentials_over());
        }
        let created_at = self.house.clock.now();
        Ok(Revocation {
            session_id: session_id.to_owned(),
            provider: provider.id.clone(),
            account: account.to_owned(),
            created_at,
            first_attempt_at: created_at + i64::try_from(lease.as_secs()).unwrap_or(0),
            expires_at,
            cookies: credentials.to_sealed(),
            definition: provider.source.clone(),
        })
    }

    /// Sends it, within the deadline of a logout.
    pub(super) fn revoke_within(
        &self,
        revocation: &Revocation,
        provider: &Provider,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        let jar = Jar::from_sealed(&revocation.cookies).unwrap_or_default();
        match self.logout_client(deadline) {
            Ok(client) => logout::revoke(&client, provider, &jar, &*self.house.clock, cancel),
            Err(error) => Verdict { reason: error.message().to_owned(), ..not_tried() },
        }
    }

    /// A session that the server may have opened and the vault did not take: it goes to the outbox,
    /// or is ended without it. Cookies that make no session are nothing to end.
    pub(super) fn revoke_unstored(&self, jar: &Jar, account: &str, cancel: &Cancel) {
        let names = self.provider.credential_cookies();
        if !names.iter().any(|name| jar.value(name).is_some()) {
            return;
        }
        log::warn!("the login could not be kept; the server is told to end it");
        let id = random_id().unwrap_or_default();
        let Ok(revocation) =
            self.revocation_of(&self.provider, jar, (&id, account), FIRST_TRY_LEASE)
        else {
            return;
        };
        match self.house.vault().and_then(|vault| vault.enqueue(&revocation)) {
            Ok(entry) => {
                self.house.state().sending.insert(entry);
                self.deliver_first(entry, None, cancel);
                self.house.state().sending.remove(&entry);
            }
            Err(_) => drop(self.revoke_within(&revocation, &self.provider, None, &Cancel::new())),
        }
    }

    /// Tokens that came after the logout: they belong to the session that is to be revoked.
    pub(super) fn revoke_late(&self, session: &Session, jar: &Jar) -> Result<()> {
        let mut late = session.clone();
        late.cookies = jar.to_sealed();
        if let Ok(revocation) = self.revocation(&late, Duration::ZERO) {
            self.house.vault()?.enqueue(&revocation)?;
        }
        Ok(())
    }

    /// A client whose requests end within the deadline, the probe's included.
    fn logout_client(&self, deadline: Option<Duration>) -> Result<Client> {
        let deadline = deadline.unwrap_or(self.logout_deadline).max(SHORTEST_DEADLINE);
        let share = deadline / logout::requests(&self.provider);
        let mut network = self.network.clone();
        network.total_timeout = network.total_timeout.min(share);
        network.answer_timeout = network.answer_timeout.min(share);
        network.connect_timeout = network.connect_timeout.min(share);
        self.house.client(&network)
    }
}

/// Every credential has certainly ended: the clock is known.
fn credentials_over() -> Verdict {
    Verdict {
        outcome: Outcome::AlreadyEnded,
        reason: "the session's credentials had ended by themselves".to_owned(),
        ..not_tried()
    }
}

/// There is nothing that the server would know the session by.
fn nothing_to_send() -> Verdict {
    Verdict {
        outcome: Outcome::Unconfirmed,
        reason: "the session holds no cookie that the logout could send".to_owned(),
        ..not_tried()
    }
}

pub(super) fn not_tried() -> Verdict {
    Verdict {
        outcome: Outcome::Deferred,
        status: None,
        retry_after: None,
        fault: None,
        reason: "the server was not tried".to_owned(),
    }
}
