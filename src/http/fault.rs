//! What reqwest, hyper and rustls report, in our own words: the kind of fault and the host's name.
//!
//! Their own texts hold URLs and are not for users; none of it is passed on.

use crate::error::{Error, Fault, Kind};
use rustls::{AlertDescription, CertificateError};
use std::error::Error as StdError;
use std::io::{self, ErrorKind};

const IN_BETWEEN: &str = "A proxy or a guest network may be in between.";

/// Describes a request to `host` that failed; `via` says how it was reached (" through the proxy").
pub(super) fn describe(error: &(dyn StdError + 'static), host: &str, via: &str) -> Error {
    let reported = || chain(error).filter_map(|link| link.downcast_ref::<reqwest::Error>());
    if let Some(reason) = chain(error).find_map(|link| link.downcast_ref::<rustls::Error>()) {
        // After the handshake it is a broken connection: the request may have arrived.
        let is_refused = matches!(reason, rustls::Error::InvalidCertificate(_));
        if is_refused || reported().any(reqwest::Error::is_connect) {
            return describe_tls(reason, host);
        }
        let message = format!("the connection to {host} broke{via}");
        return network(Fault::Reset, message).with_hint("Try again.");
    }
    let kinds =
        || chain(error).filter_map(|link| link.downcast_ref::<io::Error>()).map(io::Error::kind);
    if reported().any(|error| error.is_timeout() && error.is_connect()) {
        return network(Fault::Connect, format!("{host} could not be reached in time{via}"))
            .with_hint("Check the network connection, or try again later.");
    }
    if reported().any(reqwest::Error::is_timeout) {
        return timed_out(host);
    }
    if reported().any(reqwest::Error::is_dns) {
        return network(Fault::Dns, format!("{host} could not be found{via} (no network?)"))
            .with_hint("Check the network connection.");
    }
    if chain(error).any(|link| link.to_string().contains("proxy authorization required")) {
        return network(Fault::Connect, "the proxy asks for a user name and a password")
            .with_hint("Add them to the proxy's settings.");
    }
    if reported().any(reqwest::Error::is_connect) && !kinds().any(is_broken) {
        return network(Fault::Connect, format!("{host} could not be reached{via}"))
            .with_hint("Check the network connection.");
    }
    let is_malformed = kinds()
        .any(|kind| matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput))
        || chain(error).any(|link| is_parse_error(&link.to_string()));
    if is_malformed {
        return malformed(host);
    }
    network(Fault::Reset, format!("the connection to {host} broke{via}")).with_hint("Try again.")
}

pub(super) fn timed_out(host: &str) -> Error {
    network(Fault::Timeout, format!("{host} did not answer in time"))
        .with_hint("Check the network connection, or try again later.")
}

pub(super) fn malformed(host: &str) -> Error {
    network(Fault::Malformed, format!("{host} sent something that is not a proper HTTP answer"))
        .with_hint(IN_BETWEEN)
}

fn network(fault: Fault, message: impl Into<String>) -> Error {
    Error::new(Kind::Network(fault), message)
}

fn is_broken(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// hyper's texts for an answer it cannot read; it has no public type for them.
fn is_parse_error(text: &str) -> bool {
    text.ends_with(" parsed") || text == "message head is too large"
}

/// The error and what caused it, outermost first. An `io::Error` skips what it wraps when it is
/// asked for its source, so it is opened by hand.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |link: &&'a (dyn StdError + 'static)| {
        let link: &'a (dyn StdError + 'static) = *link;
        let wrapped = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => link.source(),
        }
    })
}

fn describe_tls(error: &rustls::Error, host: &str) -> Error {
    use CertificateError as Bad;
    let clock = "The clock of this device may be wrong; check it, then try again.";
    let (reason, hint) = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                ("its certificate is not valid yet; the clock of this device may be wrong", clock)
            }
            Bad::Expired | Bad::ExpiredContext { .. } => ("its certificate has expired", clock),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                ("its certificate is for another host", IN_BETWEEN)
            }
            Bad::UnknownIssuer => {
                ("its certificate is from an issuer that is not trusted", IN_BETWEEN)
            }
            Bad::Revoked => ("its certificate has been revoked", IN_BETWEEN),
            _ => ("its certificate is not acceptable", IN_BETWEEN),
        },
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        ) => ("it does not offer TLS 1.2 or later", ""),
        rustls::Error::InvalidMessage(_) => ("it does not speak TLS", IN_BETWEEN),
        _ => ("the encrypted connection could not be set up", IN_BETWEEN),
    };
    network(Fault::Tls, format!("{host} could not be trusted: {reason}")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_failures_say_why() {
        for (error, reason) in [
            (CertificateError::Expired, "has expired"),
            (CertificateError::NotValidYet, "clock of this device may be wrong"),
            (CertificateError::NotValidForName, "for another host"),
            (CertificateError::UnknownIssuer, "not trusted"),
            (CertificateError::BadEncoding, "not acceptable"),
        ] {
            let inner = rustls::Error::InvalidCertificate(error);
            let wrapped = io::Error::other(io::Error::new(ErrorKind::InvalidData, inner));
            let described = describe(&wrapped, "www.angel.com", "");
            assert_eq!(described.kind(), Kind::Network(Fault::Tls));
            assert!(described.message().contains(reason), "{described}");
            assert!(described.message().contains("www.angel.com"));
        }
    }

    #[test]
    fn a_broken_connection_is_a_reset() {
        let broken = io::Error::from(ErrorKind::ConnectionReset);
        assert_eq!(describe(&broken, "h", "").kind(), Kind::Network(Fault::Reset));
        let garbled = io::Error::from(ErrorKind::InvalidData);
        assert_eq!(describe(&garbled, "h", "").kind(), Kind::Network(Fault::Malformed));
    }
}
