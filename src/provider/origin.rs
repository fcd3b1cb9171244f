//! Where a definition comes from, for people who want to know.

/// Where a definition was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The id of the add-on that brings it; empty where none does.
    pub addon: String,
    /// Its file; empty for a built-in one, and for one that is no file.
    pub file: String,
}
