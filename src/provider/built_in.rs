//! The services that come with the add-on.

use super::definition::Provider;
use super::parameters::Given;
use super::problem::Checked;
use std::sync::OnceLock;

struct BuiltIn {
    id: &'static str,
    text: &'static str,
    /// With the examples in the place of parameters; read once per process.
    read: OnceLock<Provider>,
}

macro_rules! built_in {
    ($($id:literal)*) => {
        [$(BuiltIn {
            id: $id,
            text: include_str!(concat!("../../resources/providers/", $id, ".toml")),
            read: OnceLock::new(),
        }),*]
    };
}

/// In the order that users see.
static BUILT_IN: [BuiltIn; 19] = built_in! {
    "angel" "jellyfin" "emby" "plex" "trakt" "youtube" "twitch" "real-debrid" "simkl"
    "github" "nextcloud" "matrix" "auth0" "workos" "workos-device" "jwt-audit" "linxup" "idempotent" "oidc"
};

impl BuiltIn {
    fn example(&self) -> Checked<&Provider> {
        if let Some(provider) = self.read.get() {
            return Ok(provider);
        }
        let provider = Provider::parse(self.text, None)?;
        Ok(self.read.get_or_init(|| provider))
    }

    fn with(&self, given: &Given) -> Checked<Provider> {
        let example = self.example()?;
        if given.is_empty() && example.parameters.is_empty() {
            return Ok(example.clone());
        }
        Provider::parse(self.text, Some(given))
    }
}

fn of_id(id: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|known| known.id == id)
}

/// Their ids, in the order that users see.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|known| known.id)
}

/// The place in that order, of one that is built in.
pub(super) fn position(id: &str) -> Option<usize> {
    BUILT_IN.iter().position(|known| known.id == id)
}

/// The text of one that is built in.
pub(super) fn text(id: &str) -> Option<&'static str> {
    of_id(id).map(|known| known.text)
}

/// One that is built in, with these parameters or its examples.
pub(super) fn read(id: &str, given: Option<&Given>) -> Option<Checked<Provider>> {
    let known = of_id(id)?;
    Some(given.map_or_else(|| known.example().cloned(), |given| known.with(given)))
}

/// Every built-in provider, in the order that users see, with its own examples as parameters.
#[cfg(test)]
pub(crate) fn built_in() -> Checked<Vec<&'static Provider>> {
    BUILT_IN.iter().map(BuiltIn::example).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_files_are_right_and_read_once() {
        let all = built_in().unwrap();
        assert!(all.iter().zip(&BUILT_IN).all(|(provider, file)| provider.id == file.id));
        assert_eq!(read("angel", Some(&Given::new())).unwrap().unwrap().name, "Angel Studios");
        assert!(std::ptr::eq(all[0], built_in().unwrap()[0]));
    }
}
