//! TLS: rustls with ring, TLS 1.2 or later, the bundled Mozilla roots and the user's own.
//!
//! Verification cannot be switched off. The system's store is not asked: a media box may have none.

use crate::error::{Error, Kind, Result};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// The longest list of certificates, in bytes.
const MAX_CA_FILE: u64 = 4 << 20;

/// What every connection is made with.
pub(super) fn configure(ca_file: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|_| Error::new(Kind::Internal, "TLS could not be set up"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let refuse = |why: &str| {
        let shown = path.display();
        Error::new(
            Kind::InvalidInput,
            format!("the certificate file {shown} cannot be used: {why}"),
        )
        .with_hint("Name a file of PEM certificates, or leave the setting empty.")
    };
    let mut pem = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_CA_FILE + 1).read_to_end(&mut pem)).map_err(
        |error| {
            refuse(match error.kind() {
                ErrorKind::NotFound => "it does not exist",
                ErrorKind::PermissionDenied => "it may not be read",
                ErrorKind::IsADirectory => "it is a directory",
                _ => "it could not be read",
            })
        },
    )?;
    if pem.len() as u64 > MAX_CA_FILE {
        return Err(refuse("it is too large"));
    }
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| refuse("it is not well-formed PEM"))?;
        roots.add(certificate).map_err(|_| refuse("a certificate in it is damaged"))?;
        count += 1;
    }
    if count == 0 { Err(refuse("it holds no PEM certificate")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        let error = configure(Some(path)).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains(&path.display().to_string()));
        error.message().to_owned()
    }

    #[test]
    fn an_unusable_file_is_named_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        assert!(refusal(&path).contains("does not exist"));
        for (content, reason) in [
            ("", "no PEM certificate"),
            ("hello", "no PEM certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "not well-formed PEM"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "damaged"),
        ] {
            std::fs::write(&path, content).unwrap();
            assert!(refusal(&path).contains(reason), "{content}");
        }
        assert!(refusal(directory.path()).contains("directory"));
        assert!(configure(None).is_ok());
    }
}
