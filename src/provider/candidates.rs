//! Which of several files is used for a service, and what is said of those that are not.

use super::definition::Provider;
use super::origin::Origin;
use super::problem::{Checked, Problem};
use serde::Serialize;

/// A file that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnusedFile {
    pub file: String,
    /// The id of the add-on that brings it; empty where none does.
    pub addon: String,
    #[serde(flatten)]
    pub problem: Problem,
}

/// A definition that might be the one of its service.
pub(super) struct Candidate {
    pub rank: Rank,
    pub origin: Origin,
    pub revision: u32,
    /// A problem that is not the file's is one of the values that were given.
    pub read: Checked<Provider>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    BuiltIn,
    Update,
    Addition,
    Correction,
}

/// What was found of one service.
#[derive(Default)]
pub(super) struct Found {
    pub chosen: Option<Candidate>,
    /// One of the add-ons whose files contradict each other.
    contested_by: Option<String>,
    pub unused: Vec<UnusedFile>,
}

impl Found {
    /// Takes a candidate that can be used, or says why not. They come in the order of their ranks.
    pub fn consider(&mut self, candidate: Candidate) {
        let Some(before) = &self.chosen else {
            match self.contested_by.clone().filter(|_| candidate.rank == Rank::Addition) {
                Some(other) => self.refuse(&candidate, contested(&other)),
                None => self.chosen = Some(candidate),
            }
            return;
        };
        let is_newer = candidate.revision > before.revision;
        match candidate.rank {
            Rank::Update if is_newer => self.chosen = Some(candidate),
            // An update was made before this program, which has it.
            Rank::BuiltIn | Rank::Update => {}
            Rank::Addition if before.rank == Rank::Addition => {
                if before.is_the_same_as(&candidate) {
                    return;
                }
                // Nobody can say which of them is meant.
                let Some(before) = self.chosen.take() else { return };
                self.refuse(&before, contested(&candidate.origin.addon));
                self.refuse(&candidate, contested(&before.origin.addon));
                self.contested_by = Some(before.origin.addon);
            }
            Rank::Addition => {
                let message = "this is the id of a service that is built in";
                self.refuse(&candidate, Problem::new("id", message, OWN_ID));
            }
            Rank::Correction if is_newer || candidate.revision == before.revision => {
                self.chosen = Some(candidate);
            }
            Rank::Correction => {
                let message = format!(
                    "revision {} is there, and this is revision {}",
                    before.revision, candidate.revision
                );
                let hint = "Bring it up to date, or give it a revision as high.";
                self.refuse(&candidate, Problem::new("revision", message, hint));
            }
        }
    }

    pub fn refuse(&mut self, candidate: &Candidate, problem: Problem) {
        let Origin { addon, file } = candidate.origin.clone();
        self.unused.push(UnusedFile { file, addon, problem });
    }
}

impl Candidate {
    fn is_the_same_as(&self, other: &Self) -> bool {
        let parts = |candidate: &Self| {
            candidate.read.as_ref().ok().map(|read| (read.key.clone(), read.source.clone()))
        };
        parts(self) == parts(other)
    }
}

const OWN_ID: &str = "Give it an id of its own, as in \"example-myaddon\".";

fn contested(addon: &str) -> Problem {
    Problem::new("id", format!("{addon} brings another service with this id"), OWN_ID)
}
