//! The work after a logout: only what can do no harm outside the add-on's own data.

use super::{check_pointer, invalid, refuse};
use crate::error::Result;
use crate::provider::definition::{AfterLogout, Downgrade};
use crate::provider::file;

/// What a provider file may ask Kodi to do. Each is harmless at any time, and takes no path.
pub const BUILTINS: [&str; 8] = [
    "ActivateWindow(Home)",
    "CleanLibrary(video)",
    "Container.Refresh",
    "PlayerControl(Stop)",
    "Playlist.Clear",
    "ReloadSkin()",
    "UpdateLibrary(music)",
    "UpdateLibrary(video)",
];

/// What Sessionkeeper and Kodi keep in the data directory themselves.
const OURS: [&str; 7] =
    ["vault", "device", "door.lock", "postman.lock", "sessionkeeper.log", "settings.xml", "keys"];

pub(super) fn check(after: file::AfterLogout) -> Result<AfterLogout> {
    for path in &after.delete {
        check_path("after_logout.delete", path)?;
    }
    for name in &after.window_properties {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(good) {
            return refuse(
                "after_logout.window_properties",
                &format!("'{name}' is no property's name"),
            );
        }
    }
    for builtin in &after.builtins {
        if !BUILTINS.contains(&builtin.as_str()) {
            return Err(invalid(
                "after_logout.builtins",
                &format!("'{builtin}' is not run after a logout"),
            )
            .with_hint(format!("These are: {}.", BUILTINS.join(", "))));
        }
    }
    let downgrade = after.downgrade_entitlements.map(check_downgrade).transpose()?;
    Ok(AfterLogout {
        delete: after.delete,
        window_properties: after.window_properties,
        builtins: after.builtins,
        downgrade,
        update: after.update,
    })
}

fn check_downgrade(from: file::Downgrade) -> Result<Downgrade> {
    let key = "after_logout.downgrade_entitlements";
    check_path(&format!("{key}.list"), &from.list)?;
    if let Some(products) = &from.products {
        check_path(&format!("{key}.products"), products)?;
    }
    if from.active_suffix.is_empty() || from.active_suffix == from.inactive_suffix {
        return refuse(&format!("{key}.active_suffix"), "it tells the two kinds of items apart");
    }
    Ok(Downgrade {
        list: from.list,
        items: check_pointer(&format!("{key}.items"), from.items)?,
        sku: from.sku,
        active_suffix: from.active_suffix,
        inactive_suffix: from.inactive_suffix,
        products: from.products,
    })
}

/// A path below the data directory, in plain parts, and none of Sessionkeeper's own files.
fn check_path(key: &str, path: &str) -> Result<()> {
    let is_odd = |part: &str| {
        part.is_empty()
            || matches!(part, "." | "..")
            || part.ends_with(['.', ' '])
            || part.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c))
    };
    if path.split('/').any(is_odd) {
        return Err(invalid(key, &format!("'{path}' is no path below the data directory"))
            .with_hint("Write it with '/' between the parts, as in \"cache/thumbnails\"."));
    }
    let first = path.split('/').next().unwrap_or_default().to_lowercase();
    if OURS.iter().any(|ours| first == *ours || first.starts_with(&format!("{ours}.")))
        || first.starts_with("vault")
        || first.starts_with("device")
    {
        return refuse(key, &format!("'{path}' is kept by Sessionkeeper or Kodi itself"));
    }
    Ok(())
}
