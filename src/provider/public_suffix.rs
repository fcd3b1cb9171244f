//! Domains under which anybody can have a name, as co.uk or github.io: no cookie is for all of one
//! (RFC 6265bis section 5.7, steps 9 and 10).
//!
//! The crates for it weigh 700 KB in the module, a text that is searched 90.

/// "END START START…" a line: START.END is a public suffix, "*" stands for every START but "!START".
const LIST: &str = include_str!("public_suffixes.txt");

/// True for a public suffix, in lower case and without a dot in front or at the end. A name without
/// a dot is one.
pub fn is_public_suffix(domain: &str) -> bool {
    let Some((start, end)) = domain.split_once('.') else { return true };
    let starts = LIST.lines().find_map(|line| line.strip_prefix(end)?.strip_prefix(' '));
    let is_listed = |wanted: &str| starts.unwrap_or("").split(' ').any(|listed| listed == wanted);
    is_listed(start) || (is_listed("*") && !is_listed(&format!("!{start}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_can_have_a_name_under_is_one() {
        for suffix in [
            "com",
            "nowhere",
            "co.uk",
            "com.br",
            "github.io",
            "b.ck",
            "x.kobe.jp",
            "aisai.aichi.jp",
            "xn--55qx5d.cn",
        ] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for other in [
            "angel.com",
            "www.angel.com",
            "example.co.uk",
            "www.ck",
            "city.kobe.jp",
            "kobe.jp",
            "a.b.kobe.jp",
            "x.github.io",
            "o.uk",
            "",
            "127.0.0.1",
        ] {
            assert_eq!(is_public_suffix(other), other.is_empty(), "{other}");
        }
    }
}
