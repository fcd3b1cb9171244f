//! Upkeep: whatever is due for any account of the data directory, by whoever runs it: Kodi's
//! service, a script's thread in the background, `sessionkeeper service`.
//!
//! Each account is looked after by its own definition, today's or the one that is stored with it;
//! so also what an add-on left that is not there any more. One that fails holds up no other, and
//! rests.

use super::handle::Keeper;
use super::report::{DrainReport, RenewalLine, UpkeepReport};
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Error, Kind, Result};
use crate::lock::LockFile;
use crate::provider::id_of;
use crate::session::Session;
use crate::vault::create_directory;
use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;

/// What could not be done now is not due again before this, in seconds: somebody else may be at it.
const SHORTEST_PAUSE: i64 = 5;

/// A stored session, and the keeper of its provider.
struct Kept {
    keeper: Keeper,
    session: Session,
    is_active: bool,
}

impl Keeper {
    /// Brings back, renews, delivers and tidies up what is due, for every account of every provider
    /// in the data directory, and says when something is due next.
    pub fn upkeep(&self, cancel: &Cancel) -> Result<UpkeepReport> {
        let kept = self.all_kept()?;
        for Kept { keeper, session, .. } in kept.iter().filter(|kept| kept.is_active) {
            keeper.announce_restored(session);
        }
        self.look_after(Ok(kept), cancel, cancel)
    }

    /// `upkeep`, without telling anybody that a session is back. `renewals` ends those that have
    /// not been sent yet, and nothing else.
    pub fn do_what_is_due(&self, cancel: &Cancel, renewals: &Cancel) -> Result<UpkeepReport> {
        self.look_after(self.all_kept(), cancel, renewals)
    }

    fn look_after(
        &self,
        kept: Result<Vec<Kept>>,
        cancel: &Cancel,
        renewals: &Cancel,
    ) -> Result<UpkeepReport> {
        let drain = || self.logged(|| self.drain_if_due(cancel));
        let bug = |_| Err(Error::new(Kind::Internal, "the operation hit a bug"));
        // Side by side: a server that does not answer a renewal delays no logout.
        let (drained, renewals) = thread::scope(|scope| {
            let beside = thread::Builder::new().spawn_scoped(scope, drain);
            let renewals = kept.and_then(|kept| self.renew_due(kept, renewals));
            (beside.map_or_else(|_| drain(), |drain| drain.join().unwrap_or_else(bug)), renewals)
        });
        let (drained, renewals) = (drained?, renewals?);
        cancel.check()?;
        let now = self.shared.clock.now();
        let next_at = self.next_upkeep()?.map(|at| at.max(now + SHORTEST_PAUSE));
        Ok(UpkeepReport { renewals, drained, next_at })
    }

    /// From now on, and for as long as somebody holds a keeper here, this process is the one that
    /// looks after the data directory. Fails where there is such a process.
    pub fn serve(&self) -> Result<()> {
        let mut service = self.shared.service.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.shared.directory.join("service.lock");
        if service.is_none() {
            // Without a directory there would be no lock either.
            create_directory(&self.shared.directory).map_err(|error| {
                let message = format!("the data directory cannot be created ({})", error.kind());
                Error::new(Kind::Storage, message).with_hint("Look at its rights.")
            })?;
            let process = std::process::id().to_string();
            if let Some(locked) = LockFile::new(path.clone()).try_lock(true) {
                locked.note(&process);
                *service = Some(locked);
                return Ok(());
            }
        }
        let noted = fs::read_to_string(&path).ok().and_then(|text| text.parse::<u32>().ok());
        let process = noted.map_or_else(String::new, |process| format!(" (process {process})"));
        let message = format!("another service looks after this data directory{process}");
        Err(Error::new(Kind::Storage, message)
            .with_hint("One is enough. End it to start this one."))
    }

    fn drain_if_due(&self, cancel: &Cancel) -> Result<DrainReport> {
        let now = self.shared.clock.now();
        if self.next_delivery()?.is_some_and(|at| at <= now) {
            return self.drain(true, cancel);
        }
        if !self.shared.has_finished_tasks.load(Ordering::Relaxed) {
            self.finish_tasks();
        }
        Ok(DrainReport { entries: self.outbox()?.entries, ..DrainReport::default() })
    }

    fn renew_due(&self, kept: Vec<Kept>, cancel: &Cancel) -> Result<Vec<RenewalLine>> {
        let sight = self.vault()?.read(|tx| self.sight(tx))?;
        let mut lines = Vec::new();
        for Kept { keeper, session, .. } in kept {
            let is_wanted = keeper.next_attempt(&session).is_some()
                && (keeper.is_renewal_due(&session) || keeper.has_lapsed(&session))
                && keeper.renewal_rest(&session).is_zero();
            if cancel.is_cancelled() || !is_wanted {
                continue;
            }
            // A logout of this account ends this renewal, and no other.
            let renewed = keeper.renew_from(&session, false, &cancel.child());
            if cancel.is_cancelled() {
                break;
            }
            let outcome = renewed.as_ref().err().map_or("ok", Error::code).to_owned();
            if let Err(error) = renewed {
                log::info!("an account could not be renewed ({outcome}): {error}");
            }
            let Session { provider, account, .. } = &session;
            if sight.as_ref().is_none_or(|sight| sight.has_account(provider, &account.id)) {
                let (provider, account) = (id_of(provider).to_owned(), account.id.clone());
                lines.push(RenewalLine { provider, account, outcome });
            }
        }
        Ok(lines)
    }

    fn next_upkeep(&self) -> Result<Option<UnixTime>> {
        let kept = self.all_kept()?;
        let renewals = kept.iter().filter_map(|kept| kept.keeper.next_attempt(&kept.session));
        Ok(renewals.chain(self.next_delivery()?).min())
    }

    /// Every session of the data directory that has not ended. One whose definition nobody can read
    /// any more only waits for its logout.
    fn all_kept(&self) -> Result<Vec<Kept>> {
        let stored = self.vault()?.read(|tx| tx.sessions().list(None))?;
        let kept = stored.into_iter().filter_map(|stored| {
            let session = self.shared.sessions.living(stored.session)?;
            let provider = self
                .definition_of(&session)
                .inspect_err(|error| log::debug!("an account cannot be looked after: {error}"))
                .ok()?;
            let keeper = Keeper { provider: Arc::new(provider), ..self.clone() };
            Some(Kept { keeper, session, is_active: stored.is_active })
        });
        Ok(kept.collect())
    }
}
