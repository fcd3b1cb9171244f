//! The story: log in, restore, renew, request, log out, drain. The only place that orders vault,
//! network and audit; a file for each chapter.
//!
//! A keeper is a provider at a data directory, with network settings. What has to be one for the
//! whole process (vault, gates, connections, events, log) is in the directory's `House`.

mod accounts;
mod afterwards;
mod courier;
mod drain;
mod entry;
mod exit;
mod house;
mod renewal;
mod report;
mod request;
mod revocation;
mod upkeep;

use crate::clock::{Clock, UnixTime};
use crate::credentials::Credentials;
use crate::error::{Error, Kind, Result};
use crate::events::Happening;
use crate::http;
use crate::login;
use crate::provider::{Provider, Renew};
use crate::session::{Account, Session};
use crate::vault::random_id;
use house::{House, Live};
use log::{Level, LevelFilter};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

pub use courier::check_address;
pub use exit::Manner;
pub use report::{
    AccountLine, Accounts, Chores, Details, Drained, EntryLine, Forgotten, Local, Outbox, Report,
    Status, TaskLine,
};
pub use request::{Handout, Outgoing, Received};
pub use upkeep::Facts;

/// How a keeper is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub provider: Provider,
    pub directory: PathBuf,
    /// Where the device keys are; `None`: the user's data directory.
    pub key_directory: Option<PathBuf>,
    pub network: http::Settings,
    /// How long a logout tries to reach the server before it leaves that to the outbox.
    pub logout_deadline: Duration,
    /// How long before its end a token is renewed, in seconds.
    pub renewal_margin: i64,
    /// Where the audit trail is sent as well.
    pub audit_url: Option<Url>,
    pub log_level: LevelFilter,
}

/// The sessions of one provider at one data directory. A clone is another handle on the same.
#[derive(Clone)]
pub struct Keeper {
    house: Arc<House>,
    provider: Provider,
    network: http::Settings,
    logout_deadline: Duration,
    renewal_margin: i64,
    audit_url: Option<Url>,
}

impl Keeper {
    /// Reads no disk and uses no network; the vault is opened when it is first needed.
    pub fn open(config: Config) -> Result<Self> {
        let house = House::at(&config.directory, config.key_directory.clone())?;
        Self::in_house(config, house)
    }

    /// A keeper apart from the process's own, with a clock that the caller holds; for tests.
    pub fn with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let house = House::apart(&config.directory, config.key_directory.clone(), clock)?;
        Self::in_house(config, Arc::new(house))
    }

    fn in_house(config: Config, house: Arc<House>) -> Result<Self> {
        if config.renewal_margin < 0 {
            return Err(Error::new(Kind::InvalidInput, "the renewal margin is negative"));
        }
        house.logbook.set_level(config.log_level);
        Ok(Keeper {
            house,
            provider: config.provider,
            network: config.network,
            logout_deadline: config.logout_deadline,
            renewal_margin: config.renewal_margin,
            audit_url: config.audit_url,
        })
    }

    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Runs `work` with what it logs going to this directory's log.
    pub fn logged<T>(&self, work: impl FnOnce() -> T) -> T {
        self.house.logbook.enter(work)
    }

    /// From now on, lines below `level` are not written, for the whole data directory.
    pub fn set_log_level(&self, level: LevelFilter) {
        self.house.logbook.set_level(level);
    }

    /// The log lines that nobody has taken yet.
    pub fn take_log(&self) -> Vec<(Level, String)> {
        self.house.logbook.take()
    }

    /// What happened in this process after `seq`.
    pub fn events_after(&self, seq: i64) -> Vec<Happening> {
        self.house.events.after(seq)
    }

    pub fn newest_event(&self) -> i64 {
        self.house.events.newest()
    }

    /// What is stored. No network.
    pub fn status(&self) -> Result<Status> {
        let live = self.house.live(&self.provider.key)?;
        self.status_of(live.as_ref())
    }

    /// `status`, with times; for the user. No network.
    pub fn details(&self) -> Result<Details> {
        let live = self.house.live(&self.provider.key)?;
        let status = self.status_of(live.as_ref())?;
        let session = live.map(|live| live.session);
        Ok(Details {
            status,
            signed_in_at: session.as_ref().map(|session| session.signed_in_at),
            renewed_at: session.as_ref().map(|session| session.renewed_at),
        })
    }

    fn status_of(&self, live: Option<&Live>) -> Result<Status> {
        let pending = self.house.vault()?.pending(Some(&self.provider.key))?;
        Ok(match live {
            None => Status::signed_out(&self.provider.id, pending),
            Some(live) => {
                Status::of(live, self.has_lapsed(live), self.way_to_renew(live).is_some(), pending)
            }
        })
    }

    fn signed_in(&self) -> Result<Live> {
        self.house.live(&self.provider.key)?.ok_or_else(|| {
            Error::new(Kind::NotSignedIn, format!("nobody is signed in at {}", self.provider.name))
                .hint("Log in first.")
        })
    }

    /// True when the access token seems to have ended.
    fn has_lapsed(&self, live: &Live) -> bool {
        live.session.expires_at.is_some_and(|at| self.house.clock.seems_past(at))
    }

    /// When the token is to be renewed: the margin before its end, but never in the first half of
    /// its life, so that a short-lived one is not renewed at every request.
    fn renewal_time(&self, live: &Live) -> Option<UnixTime> {
        let ends = live.session.expires_at?;
        let lifetime = ends.saturating_sub(live.session.renewed_at).max(0);
        Some(ends - self.renewal_margin.min(lifetime / 2))
    }

    fn is_renewal_due(&self, live: &Live) -> bool {
        self.renewal_time(live).is_some_and(|at| self.house.clock.seems_past(at))
    }

    /// The way to renew, if the provider has one and the session holds what it needs.
    fn way_to_renew(&self, live: &Live) -> Option<&Renew> {
        let can = login::can_renew(&self.provider, &live.held, &*self.house.clock);
        self.provider.renew.as_ref().filter(|_| can)
    }

    fn client(&self) -> Result<http::Client> {
        self.house.client(&self.network)
    }

    /// The session as the credentials tell it: token, claims, account.
    fn session_from(&self, gained: &Credentials, username: &str) -> Result<Session> {
        let rule = &self.provider.session;
        if gained.token(rule).is_none() {
            let what = rule.token_cookies.first().map_or_else(
                || "an access token".to_owned(),
                |cookie| format!("the cookie '{cookie}'"),
            );
            let message = format!("the login ended without {what}");
            return Err(Error::new(Kind::UnexpectedAnswer, message)
                .hint("The service may have changed; its provider file has to follow."));
        }
        let now = self.house.clock.now();
        let [id, email, name] = login::ACCOUNT;
        let fact = |claims: &[String], value: &str| {
            let told = || gained.value(value).map(|text| text.expose().to_owned());
            gained.claim(rule, claims).or_else(told)
        };
        let email = fact(&rule.account_email, email).unwrap_or_default();
        let unnamed = [username, &email, &self.provider.id];
        let unnamed = unnamed.iter().find(|text| !text.is_empty());
        let id = fact(&rule.account_id, id).or_else(|| unnamed.map(ToString::to_string));
        Ok(Session {
            id: random_id()?,
            provider: self.provider.key.clone(),
            account: Account {
                id: id.unwrap_or_default(),
                name: fact(&rule.account_name, name).unwrap_or_default(),
                email,
            },
            generation: 0,
            signed_in_at: now,
            renewed_at: now,
            expires_at: gained.token_ends_at(rule, now),
            credentials: gained.to_sealed(),
            definition: self.provider.source.clone(),
        })
    }
}
