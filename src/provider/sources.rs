//! Where provider files come from: what is built in, and directories that the caller names. Of each
//! service one file is used; what is wrong with another is told, and hides nothing else.
//!
//! A file is called as its id is, so that one service is found without reading any other. Nothing
//! here knows who puts the files there.

use super::built_in;
use super::candidates::{Candidate, Found, Rank, UnusedFile};
use super::definition::{Provider, is_id};
use super::document::{self, LARGEST};
use super::key::id_of;
use super::origin::Origin;
use super::parameters::Given;
use super::problem::{Checked, Problem};
use super::using::Using;
use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory of provider files, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    pub directory: PathBuf,
    /// The id of the add-on that brings them; empty: they are the user's own.
    #[serde(default)]
    pub addon: String,
    #[serde(default)]
    pub replaces: Replaces,
}

/// Which files those of a directory take the place of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Replaces {
    // None: their services have ids of their own.
    #[default]
    Nothing,
    // Those of a lower revision.
    Older,
    // Those of no higher revision.
    NotNewer,
}

/// The directories, in the order of their weight: updates, additions, corrections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Arc<Vec<FileSource>>);

/// Names the directory of the user's own files.
const VARIABLE: &str = "SESSIONKEEPER_PROVIDERS";

impl Sources {
    pub fn new(mut sources: Vec<FileSource>) -> Self {
        sources.sort_by_key(FileSource::rank);
        Sources(Arc::new(sources))
    }

    /// The user's own directory, for a caller that names none. Where that is, the environment says, so
    /// no built-in service can be another one there.
    pub fn of_user() -> Self {
        let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let usual = || Some(dirs::config_dir()?.join("sessionkeeper").join("providers"));
        let directory = named.map(PathBuf::from).or_else(usual);
        let addon = String::new();
        let own = |directory| FileSource { directory, addon, replaces: Replaces::Nothing };
        Sources::new(directory.map(own).into_iter().collect())
    }

    /// A service as a caller names it: by its id, by a file's path that ends in `.toml`, or with a
    /// dictionary of a file's form.
    pub fn choose(&self, named: Value, given: &Given) -> Result<Provider> {
        match named {
            Value::String(name) if is_path(&name) => self.read_file(&name, given),
            Value::String(id) => self.find(&id, given),
            tree => Ok(self.read_value(tree, Some(given))?),
        }
    }

    /// The service of this id.
    pub fn find(&self, id: &str, given: &Given) -> Result<Provider> {
        let Found { chosen, unused, .. } = self.found(id, Some(given));
        if let Some(Candidate { read, origin, .. }) = chosen {
            return read.map_err(|problem| problem.in_file(&origin.file));
        }
        if let Some(UnusedFile { file, problem, .. }) = unused.into_iter().next() {
            return Err(problem.in_file(&file));
        }
        let known: Vec<String> = self.ids(&mut Vec::new());
        let message = format!("no provider is called '{id}'");
        Err(Error::new(Kind::UnknownProvider, message).with_hint(format!(
            "There are: {}. A provider of your own is named by its file, as in ./service.toml.",
            known.join(", ")
        )))
    }

    /// Every service in the order that users see, with its own examples as parameters; and the files
    /// that are not used.
    pub fn list(&self) -> (Vec<Provider>, Vec<UnusedFile>) {
        let mut unused = Vec::new();
        let mut providers = Vec::new();
        for id in self.ids(&mut unused) {
            let found = self.found(&id, None);
            unused.extend(found.unused);
            providers.extend(found.chosen.and_then(|chosen| chosen.read.ok()));
        }
        providers.sort_by_key(|provider| match built_in::position(&provider.id) {
            Some(position) => (position, String::new()),
            None => (usize::MAX, provider.name.to_lowercase()),
        });
        (providers, unused)
    }

    /// The definition whose sessions are kept under `key`, if that is known from the key alone.
    pub fn with_key(&self, key: &str) -> Option<Provider> {
        let provider = self.find(id_of(key), &Given::new()).ok()?;
        (provider.key == key).then_some(provider)
    }

    /// Reads a provider file's text, or what such a file would hold.
    pub fn read(&self, text: &str, given: Option<&Given>) -> Checked<Provider> {
        document::read(text, |tree| self.read_value(tree, given))
    }

    pub fn read_value(&self, tree: Value, given: Option<&Given>) -> Checked<Provider> {
        let tree = match Using::of(&tree) {
            None => tree,
            Some(using) => {
                let using = using?;
                let base = self.base(&using.service);
                using.applied_to(base)?
            }
        };
        Provider::from_value(tree, given)
    }

    /// The file at a path.
    pub fn read_file(&self, path: &str, given: &Given) -> Result<Provider> {
        let text = read_text(Path::new(path)).map_err(|why| {
            let message = format!("the provider file '{path}' cannot be read ({})", why.kind());
            Error::new(Kind::UnknownProvider, message)
        })?;
        let origin = Origin { addon: String::new(), file: path.to_owned() };
        Ok(self.read(&text, Some(given))?.found_at(origin))
    }

    /// The ids that there are files for: the built-in ones, then the others by name.
    fn ids(&self, unused: &mut Vec<UnusedFile>) -> Vec<String> {
        let mut others = BTreeSet::new();
        for source in self.0.iter() {
            for path in files_in(&source.directory) {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                if !is_id(stem) {
                    let hint = "Call it as its id, as in example.toml.";
                    let problem = Problem::new("", "this is not the name of a provider file", hint);
                    unused.push(source.unused(&path, problem));
                } else if built_in::position(stem).is_none() {
                    others.insert(stem.to_owned());
                }
            }
        }
        built_in::ids().map(ToOwned::to_owned).chain(others).collect()
    }

    fn found(&self, id: &str, given: Option<&Given>) -> Found {
        let mut found = Found::default();
        if !is_id(id) {
            return found;
        }
        let built_in = built_in::read(id, given).map(|read| {
            let revision = read.as_ref().map_or(1, |provider| provider.revision);
            Candidate { rank: Rank::BuiltIn, origin: Origin::default(), revision, read }
        });
        let files = self.0.iter().filter_map(|source| self.candidate(source, id, given));
        for candidate in built_in.into_iter().chain(files) {
            // What is wrong where nobody has given anything is the file's own.
            let is_fault =
                |problem: &&Problem| given.is_none() || problem.kind == Kind::InvalidProvider;
            match candidate.read.as_ref().err().filter(is_fault) {
                Some(fault) => found.refuse(&candidate, fault.clone()),
                None => found.consider(candidate),
            }
        }
        found
    }

    /// The file of this id in a directory, where there is one.
    fn candidate(&self, source: &FileSource, id: &str, given: Option<&Given>) -> Option<Candidate> {
        let path = source.directory.join(format!("{id}.toml"));
        let origin = source.origin(&path);
        let mut revision = 1;
        let read = match read_text(&path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return None,
            Err(why) => {
                let message = format!("it cannot be read ({})", why.kind());
                Err(Problem::new("", message, "Is it a file, and may this program read it?"))
            }
            Ok(text) => document::read(&text, |tree| {
                revision = tree.get("revision").and_then(Value::as_u64).map_or(1, clamped);
                if let Some(other) = tree.get("id").and_then(Value::as_str).filter(|it| *it != id) {
                    let message = format!("the file is called {id}.toml, and its id is '{other}'");
                    return Err(Problem::new("id", message, "Let them be the same."));
                }
                self.read_value(tree, given)
            }),
        };
        let read = read.map(|provider| provider.found_at(origin.clone()));
        Some(Candidate { rank: source.rank(), origin, revision, read })
    }

    /// What a file that uses this service begins with: built in, brought up to date, corrected.
    fn base(&self, id: &str) -> Option<Value> {
        let others = self.0.iter().filter(|source| source.rank() != Rank::Addition).cloned();
        let sources = Sources(Arc::new(others.collect()));
        let chosen = sources.found(id, None).chosen?;
        let text = if chosen.rank == Rank::BuiltIn {
            built_in::text(id)?.to_owned()
        } else {
            read_text(Path::new(&chosen.origin.file)).ok()?
        };
        document::read(&text, Ok).ok()
    }
}

impl FileSource {
    fn rank(&self) -> Rank {
        match self.replaces {
            Replaces::Nothing => Rank::Addition,
            Replaces::Older => Rank::Update,
            Replaces::NotNewer => Rank::Correction,
        }
    }

    fn origin(&self, path: &Path) -> Origin {
        Origin { addon: self.addon.clone(), file: path.display().to_string() }
    }

    fn unused(&self, path: &Path, problem: Problem) -> UnusedFile {
        let Origin { addon, file } = self.origin(path);
        UnusedFile { file, addon, problem }
    }
}

fn clamped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// True where a file is meant, and not an id.
pub fn is_path(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "toml")
}

/// A built-in provider by its id, or the file at a path that ends in `.toml`.
pub fn find(name: &str, given: &Given) -> Result<Provider> {
    Sources::default().choose(name.into(), given)
}

/// The provider files in a directory, by name; none where it cannot be read.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = directory.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|end| end == "toml");
    let mut paths: Vec<PathBuf> = entries.filter(is_ours).collect();
    paths.sort();
    paths
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One more than may be: the parser says that it is too large.
    File::open(path)?.take(LARGEST as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
