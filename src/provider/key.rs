//! What sessions are kept under and sealed with, so that no other server gets them: the provider's
//! id, its parameters, its hosts.

use super::hosts::Hosts;
use super::parameters::{Declared, Given, value_of};
use crate::wire::hex;
use ring::digest;

//  A key:
//
//      | id | "@", 6 bytes of the parameters' hash, where there are any | "#" | 16 of the hosts' |
//
//  in hexadecimal. An id has neither mark. A file that somebody made to meet another one's hosts
//  would have to find 128 bits; parameters are only what people tell their servers apart by.

const PARAMETERS: usize = 6;
const HOSTS: usize = 16;

/// The part of the key that stays when a file names other hosts: sessions whose keys begin alike
/// are of one service.
pub(super) fn service_key(id: &str, declared: &Declared, given: &Given) -> String {
    // A secret tells no servers apart, and the key is there for everybody to see.
    let shown = declared.iter().filter(|(_, parameter)| !parameter.secret);
    let values = shown.filter_map(|(name, parameter)| {
        let value = value_of(parameter, given)?;
        Some(format!("{name}={}\n", value.trim_end_matches('/')))
    });
    let values: String = values.collect();
    if values.is_empty() {
        format!("{id}#")
    } else {
        format!("{id}@{}#", mark(&values, PARAMETERS))
    }
}

/// The whole key. The order in which hosts are listed says nothing, nor does one that is there
/// twice.
pub(super) fn key(service: &str, hosts: &Hosts, bearer_hosts: &Hosts) -> String {
    let hosts = format!("{}\nbearer {}", hosts.canonical(), bearer_hosts.canonical());
    format!("{service}{}", mark(&hosts, HOSTS))
}

/// The provider's id in a key.
pub fn id_of(key: &str) -> &str {
    key.split(['@', '#']).next().unwrap_or(key)
}

/// What the keys of one service begin with, whatever hosts its file names.
pub fn service_of(key: &str) -> &str {
    key.split_inclusive('#').next().unwrap_or(key)
}

fn mark(text: &str, bytes: usize) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex(&hash.as_ref()[..bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(hosts: &[&str], cookie_domains: &[&str], bearer: &[&str]) -> String {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let bearer = Hosts::new(&owned(bearer), &[]).unwrap();
        key("shop#", &Hosts::new(&owned(hosts), &owned(cookie_domains)).unwrap(), &bearer)
    }

    #[test]
    fn every_list_of_hosts_counts() {
        let all = [
            of(&["a.shop.example", "b.example"], &[], &[]),
            of(&["a.shop.example", "b.example:444"], &[], &[]),
            of(&["a.shop.example"], &[], &[]),
            of(&["a.shop.example"], &["shop.example"], &[]),
            of(&["a.shop.example"], &["a.shop.example"], &[]),
            of(&["a.shop.example"], &[], &["a.shop.example"]),
            of(&["a.shop.example", "b.example"], &[], &["b.example"]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
            assert_eq!((service_of(one), id_of(one), one.len()), ("shop#", "shop", 5 + 32));
        }
    }

    #[test]
    fn the_way_a_list_is_written_says_nothing() {
        assert_eq!(
            of(&["a.example", "B.example"], &["b.example", "a.example"], &["a.example"]),
            of(
                &["https://b.example/x", "A.example:443", "b.example"],
                &["A.example", "b.example"],
                &["https://a.example"]
            ),
        );
    }
}
