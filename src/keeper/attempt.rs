//! One attempt at ending a session at the server, and what it takes to know that it has ended: the
//! probe before and after, and the renewal, which proves by being refused.
//!
//! A renewal makes a living session live longer. So none is made without a logout right after it,
//! and only so many for one session. From the first one on, an attempt runs to its end.

use super::handle::Keeper;
use crate::cancel::{Cancel, run_beside_or};
use crate::context::Context;
use crate::error::Result;
use crate::http::Client;
use crate::login::{self, Renewal};
use crate::logout::{self, Notes, Tried, Verdict};
use crate::provider::{Everywhere, Probe, Provider, Renew};
use crate::session::{Credentials, Evidence, Outcome, Revocation};
use std::sync::Arc;
use std::time::Instant;

/// How often a logout everywhere waits for the other sessions before it ends its own all the same.
const TRIES_BEFORE_SKIPPING: u32 = 5;

/// How often one attempt logs out again a session that it found alive.
const MOST_ROUNDS: usize = 2;

/// So many renewals for one logout, over all attempts: a server that renews and does not end the
/// session keeps it alive by being asked.
const MOST_RENEWALS: u32 = 5;

/// The entry of the outbox that is being sent.
#[derive(Clone, Copy)]
pub(super) struct Queued {
    pub id: i64,
    /// How often it has been tried before.
    pub attempts: u32,
}

/// What an attempt is made with.
struct Means {
    keeper: Keeper,
    provider: Provider,
    client: Client,
    cancel: Cancel,
}

impl Means {
    fn context(&self) -> Context<'_> {
        let Means { keeper, provider, client, cancel } = self;
        Context { client, provider, clock: &*keeper.shared.clock, cancel }
    }
}

/// One attempt at ending a session: with a token that is still good, and with a look at what is
/// left where the answers prove nothing.
pub(super) struct Attempt {
    means: Means,
    /// As it is in the outbox.
    revocation: Revocation,
    credentials: Credentials,
    evidence: Evidence,
    notes: Notes,
    /// What became of the account's other sessions.
    others: Option<Verdict>,
    /// The probe was refused, and never accepted before; so with the renewal, or there is none.
    is_probe_vain: bool,
    is_renewal_vain: bool,
    queued: Option<Queued>,
}

/// What an attempt came to, and the revocation as it was kept; `None`: it goes on by itself.
pub(super) type Sent = (Verdict, Option<Revocation>);

impl Attempt {
    pub(super) fn new(
        keeper: &Keeper,
        provider: &Provider,
        client: Client,
        cancel: &Cancel,
        revocation: &Revocation,
        queued: Option<Queued>,
    ) -> Self {
        let (keeper, provider, cancel) = (keeper.clone(), provider.clone(), cancel.clone());
        Attempt {
            means: Means { keeper, provider, client, cancel },
            credentials: revocation.credentials.clone(),
            evidence: revocation.evidence,
            revocation: revocation.clone(),
            notes: Notes::default(),
            others: None,
            is_probe_vain: false,
            is_renewal_vain: false,
            queued,
        }
    }

    /// Makes it. The caller is let go at the deadline, or when it cancels.
    pub(super) fn run(mut self, deadline: Instant) -> Sent {
        self.probe_before();
        if self.renews_first() {
            return self.run_to_its_end(deadline, Attempt::renew_and_send);
        }
        let verdict = self.send();
        if verdict.if_renewal_refused.is_some() && self.can_renew() {
            return self.run_to_its_end(deadline, |attempt| attempt.try_renewing(verdict));
        }
        let verdict = self.finish(verdict);
        (verdict, Some(self.revocation))
    }

    /// Runs `rest` on a thread of its own. When the caller leaves, what it comes to is written down
    /// from there.
    fn run_to_its_end(
        mut self,
        deadline: Instant,
        rest: impl FnOnce(&mut Attempt) -> Verdict + Send + 'static,
    ) -> Sent {
        let (keeper, queued) = (self.means.keeper.clone(), self.queued);
        let cancel = std::mem::take(&mut self.means.cancel);
        let whole = keeper.client().unwrap_or_else(|_| self.means.client.clone());
        self.means.client = whole;
        let work = move || {
            let keeper = self.means.keeper.clone();
            let _sending = queued.map(|queued| keeper.shared.delivery.join(queued.id));
            keeper.logged(|| {
                let verdict = rest(&mut self);
                (self.finish(verdict), Some(self.revocation))
            })
        };
        let late = move |(verdict, revocation): Sent| {
            if let (Some(queued), Some(revocation)) = (queued, revocation) {
                keeper.logged(|| keeper.note_late(queued.id, revocation, verdict));
            }
        };
        run_beside_or("sessionkeeper-revocation", &cancel, Some(deadline), work, late)
            .unwrap_or_else(|_| {
                let why = "the server has not answered in time; it is still being told";
                (Verdict::new(Outcome::Deferred, why), None)
            })
    }

    /// True when the logout would be sent with a token that is no good any more, or when it is the
    /// renewal's refusal that will have to prove it, and none has succeeded before.
    fn renews_first(&self) -> bool {
        let provider = &self.means.provider;
        let is_due = match &provider.logout.probe {
            // What it brings may be good for minutes, and the steps of a backend need it.
            Some(Probe::Renew {}) => {
                self.evidence.renewals == 0
                    && !matches!(provider.renew, Some(Renew::RefreshToken { .. }))
            }
            Some(Probe::Request(_)) => {
                (self.is_probe_vain || !self.renewal_proves())
                    && logout::outlives_token(&self.credentials, provider)
            }
            None => false,
        };
        let everywhere = self.revocation.everywhere;
        let is_due = is_due
            || logout::needs_fresh_token(&self.means.context(), &self.credentials, everywhere);
        is_due && self.can_renew()
    }

    fn renew_and_send(&mut self) -> Verdict {
        if matches!(self.renew(), Some(Tried::Refused(_))) && self.renewal_proves() {
            return self.was_over();
        }
        let verdict = self.send_renewed();
        self.try_renewing(verdict)
    }

    /// Where the answers prove nothing, the renewal may: a dead session is refused. One that is
    /// renewed after all is logged out again at once; else it would live the longer for it.
    fn try_renewing(&mut self, mut verdict: Verdict) -> Verdict {
        for _ in 0..MOST_ROUNDS {
            if verdict.if_renewal_refused.is_none() {
                return verdict;
            }
            match self.renew() {
                Some(Tried::Accepted) => verdict = self.send_renewed(),
                Some(Tried::Refused(_)) => {
                    return logout::judge_refused_renewal(verdict, self.renewal_proves());
                }
                Some(Tried::Unclear) => return self.send(),
                None => return verdict,
            }
        }
        if verdict.if_renewal_refused.is_some() { logout::still_alive(verdict) } else { verdict }
    }

    fn renewal_proves(&self) -> bool {
        logout::renewal_proves(&self.means.provider, &self.credentials, self.evidence)
    }

    fn send_renewed(&mut self) -> Verdict {
        self.probe_before();
        self.send()
    }

    /// Sends the logout once, and looks whether it worked as far as that takes no renewal.
    fn send(&mut self) -> Verdict {
        let before = self.credentials.clone();
        if let Some(unfinished) = self.end_others() {
            return unfinished;
        }
        let Attempt { means, credentials, notes, evidence, .. } = self;
        let verdict = logout::revoke(&means.context(), credentials, notes, *evidence);
        if self.credentials != before && !verdict.outcome.is_final() {
            self.keep();
        }
        verdict
    }

    /// A refusal proves something only where the same was accepted before.
    fn probe_before(&mut self) {
        if self.evidence.probe_accepted {
            return;
        }
        match logout::probe(&self.means.context(), &self.credentials) {
            Tried::Accepted => {
                self.evidence.probe_accepted = true;
                self.is_probe_vain = false;
            }
            Tried::Refused(_) => self.is_probe_vain = true,
            Tried::Unclear => {}
        }
    }

    /// Of a logout everywhere, the others. Gives what they came to where this session's end has to
    /// wait for theirs, or has come with it.
    fn end_others(&mut self) -> Option<Verdict> {
        let is_done = self.others.as_ref().is_some_and(|others| others.outcome.is_final());
        if !self.revocation.everywhere || is_done {
            return None;
        }
        let before = self.others.take().map_or(0, |others| others.others_ended);
        let mut others = logout::end_others(&self.means.context(), &self.credentials)?;
        others.others_ended += before;
        let waits = self.queued.is_some_and(|queued| queued.attempts < TRIES_BEFORE_SKIPPING);
        if waits && others.outcome == Outcome::Deferred {
            return Some(others);
        }
        let ends_own = matches!(
            &self.means.provider.everywhere,
            Some(Everywhere::Request(end)) if end.own && others.outcome.is_final()
        );
        let all = ends_own.then(|| others.clone());
        self.others = Some(others);
        all
    }

    /// The last word: with the other sessions, the notes, and whether it can ever be another.
    fn finish(&mut self, verdict: Verdict) -> Verdict {
        let is_settled = verdict.is_settled && !self.can_be_proved();
        let notes = std::mem::take(&mut self.notes);
        let mut verdict = Verdict { notes, is_settled, ..verdict };
        if let Some(others) = self.others.take() {
            verdict = logout::with_others(verdict, others);
        } else if self.means.provider.everywhere == Some(Everywhere::Logout {}) {
            verdict.is_uncounted = true;
        }
        if self.evidence != self.revocation.evidence && !verdict.outcome.is_final() {
            self.keep();
        }
        verdict
    }

    /// True when looking once more, at another time, may show whether the session is dead.
    fn can_be_proved(&self) -> bool {
        let by_renewal = self.can_renew() && !self.is_renewal_vain;
        match &self.means.provider.logout.probe {
            Some(Probe::Request(_)) => {
                let Means { provider, .. } = &self.means;
                let is_outlived = logout::outlives_token(&self.credentials, provider);
                !self.is_probe_vain && (by_renewal || !is_outlived)
            }
            Some(Probe::Renew {}) => by_renewal,
            None => false,
        }
    }

    /// This session was over. With it, the means to end others are gone.
    fn was_over(&self) -> Verdict {
        if self.revocation.everywhere && self.means.provider.everywhere.is_some() {
            let why = "this session was over already, so the others could not be ended";
            return Verdict { this_ended: true, ..Verdict::new(Outcome::Rejected, why) };
        }
        Verdict::new(Outcome::AlreadyEnded, "the server says that the session was over")
    }

    fn can_renew(&self) -> bool {
        let Means { keeper, provider, cancel, .. } = &self.means;
        self.evidence.renewals < MOST_RENEWALS
            && login::can_renew(provider, &self.credentials, &*keeper.shared.clock)
            && !cancel.is_cancelled()
    }

    /// Renews the credentials, if there is a way. As for a session that is in use, what serves
    /// only once is noted before it is sent. `None`: the server has certainly renewed nothing.
    fn renew(&mut self) -> Option<Tried> {
        let renew = self.means.provider.renew.clone().filter(|_| self.can_renew())?;
        let shared = Arc::clone(&self.means.keeper.shared);
        let _renewing = shared.begin_renewal();
        if self.means.provider.rotates() {
            self.credentials.is_spent = true;
            if self.queued.is_some() && !self.keep() {
                self.credentials.is_spent = false;
                return None;
            }
        }
        let renewal = login::renew(&self.means.context(), &renew, self.credentials.clone());
        let tried = self.take_renewal(renewal);
        self.keep();
        tried
    }

    fn take_renewal(&mut self, renewal: Result<Renewal>) -> Option<Tried> {
        match renewal {
            Ok(Renewal::Renewed(mut fresh)) => {
                fresh.is_spent = false;
                fresh.is_doubtful = false;
                let needed = logout::needed_for_logout(&self.means.provider, &fresh);
                self.credentials = needed.unwrap_or(fresh);
                self.evidence.renewal_accepted = true;
                self.evidence.renewals = self.evidence.renewals.saturating_add(1);
                Some(Tried::Accepted)
            }
            Ok(Renewal::Over) => {
                self.is_renewal_vain = !self.renewal_proves();
                Some(Tried::Refused(None))
            }
            // What it carried may be used up: it is not sent again.
            Ok(Renewal::Lost(error)) => {
                log::warn!("the renewal for the logout got lost ({}): {error}", error.code());
                Some(Tried::Unclear)
            }
            Ok(Renewal::Failed(error)) => {
                log::warn!("the renewal for the logout failed ({}): {error}", error.code());
                // A refresh token is not sent twice. What a backend's logout needs fresh is: the
                // worst that can come of it is that the server ends the session.
                let is_refresh_token =
                    matches!(self.means.provider.renew, Some(Renew::RefreshToken { .. }));
                self.credentials.is_spent = is_refresh_token;
                self.credentials.is_doubtful = true;
                Some(Tried::Unclear)
            }
            Ok(Renewal::Absent(error)) => {
                log::info!("there is no renewal: {error}");
                self.credentials.is_spent = false;
                self.is_renewal_vain = true;
                None
            }
            Err(error) => {
                log::info!("no renewal for the logout ({}): {error}", error.code());
                self.credentials.is_spent = false;
                None
            }
        }
    }

    /// Stores what later attempts need; false when that was not possible.
    fn keep(&mut self) -> bool {
        if self.queued.is_none() {
            return false;
        }
        let Means { keeper, provider, .. } = &self.means;
        let ends = keeper.last_end(provider, &self.credentials);
        let Revocation { credentials, evidence, expires_at, .. } = &mut self.revocation;
        if *credentials == self.credentials && *evidence == self.evidence {
            return true;
        }
        *credentials = self.credentials.clone();
        *evidence = self.evidence;
        *expires_at = expires_at.zip(ends).map(|(a, b)| a.max(b));
        keeper
            .enqueue(&self.revocation)
            .inspect_err(|error| log::error!("the outbox could not be written: {error}"))
            .is_ok()
    }
}
