//! The headers that a provider file or an add-on may not set: they belong to the client, to the
//! session or to the connection.

const OURS: [&str; 12] = [
    "cookie",
    "cookie2",
    "host",
    "content-length",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "http2-settings",
];

/// True for a header that the client sets by itself; letter case does not matter.
pub fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OURS.contains(&name.as_str()) || name.starts_with("proxy-")
}
