//! Proof Key for Code Exchange (RFC 7636), and values that nobody can guess.

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

/// The method, of which there is one here: RFC 9700 section 2.1.1 wants no other.
pub const S256: &str = "S256";

/// RFC 7636 section 4.1: "It is RECOMMENDED that the output of a suitable random number generator be
/// used to create a 32-octet sequence. The octet sequence is then base64url-encoded to produce a
/// 43-octet URL safe string to use as the code verifier." It serves as `state` and `nonce` too.
pub fn unguessable() -> Result<Secret> {
    let mut bytes = [0_u8; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::new(Kind::Internal, "the system provides no random numbers"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Section 4.2: "code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))".
pub fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_value_comes_twice_and_each_is_long_enough() {
        let some: std::collections::HashSet<_> =
            (0..100).map(|_| unguessable().unwrap().expose().to_owned()).collect();
        assert_eq!(some.len(), 100);
        assert!(some.iter().all(|value| value.len() == 43), "256 bits");
    }
}
