//! How tokens are signed and checked: `jsonwebtoken`'s provider of cryptography, made of `ring`.
//!
//! The TLS of every function has `ring` in it already. The providers that come with `jsonwebtoken` would put a second
//! library of cryptography into each zip (`docs/decisions/0025`).
//!
//! Promises: a key is used for the family of algorithms that it was read for and for no other. HMAC signs and checks;
//! everything else is checked only.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};
use ring::{
    hmac,
    signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm},
};

static RING: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // For making key sets: nothing here makes any.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Lets `jsonwebtoken` use it in this process. Whoever is later is refused, and finds the same one there.
pub fn install() {
    let _ = RING.install_default();
}

/// What checks a signature.
enum Check {
    Hmac(hmac::Algorithm),
    Rsa(&'static RsaParameters),
    Curve(&'static dyn VerificationAlgorithm),
}

fn check(algorithm: Algorithm) -> Result<Check> {
    Ok(match algorithm {
        Algorithm::HS256 => Check::Hmac(hmac::HMAC_SHA256),
        Algorithm::HS384 => Check::Hmac(hmac::HMAC_SHA384),
        Algorithm::HS512 => Check::Hmac(hmac::HMAC_SHA512),
        Algorithm::RS256 => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Check::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Check::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => Check::Curve(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Check::Curve(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Check::Curve(&signature::ED25519),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    })
}

fn of_family(algorithm: Algorithm, family: AlgorithmFamily) -> Result<()> {
    if algorithm.family() == family { Ok(()) } else { Err(ErrorKind::InvalidKeyFormat.into()) }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    of_family(*algorithm, key.family())?;
    match check(*algorithm)? {
        Check::Hmac(kind) => {
            Ok(Box::new(Secret { algorithm: *algorithm, key: hmac::Key::new(kind, key.as_bytes()) }))
        }
        Check::Rsa(_) | Check::Curve(_) => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    of_family(*algorithm, key.family())?;
    Ok(match check(*algorithm)? {
        Check::Hmac(kind) => {
            Box::new(Secret { algorithm: *algorithm, key: hmac::Key::new(kind, key.try_get_as_bytes()?) })
        }
        Check::Rsa(parameters) => Box::new(Rsa { algorithm: *algorithm, parameters, key: key.clone() }),
        Check::Curve(kind) => {
            let key = UnparsedPublicKey::new(kind, key.try_get_as_bytes()?.to_vec());
            Box::new(Curve { algorithm: *algorithm, key })
        }
    })
}

/// A shared secret.
struct Secret {
    algorithm: Algorithm,
    key: hmac::Key,
}

impl Signer<Vec<u8>> for Secret {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(hmac::sign(&self.key, message).as_ref().to_vec())
    }
}

impl JwtSigner for Secret {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Secret {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        hmac::verify(&self.key, message, signature).map_err(|_wrong| Error::new())
    }
}

impl JwtVerifier for Secret {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// An RSA key: of a key set its numbers, else PKCS#1.
struct Rsa {
    algorithm: Algorithm,
    parameters: &'static RsaParameters,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for Rsa {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let checked = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let key = RsaPublicKeyComponents { n: without_zeros(n), e: without_zeros(e) };
                key.verify(self.parameters, message, signature)
            }
            DecodingKeyKind::SecretOrDer(der) => {
                UnparsedPublicKey::new(self.parameters, der).verify(message, signature)
            }
        };
        checked.map_err(|_wrong| Error::new())
    }
}

impl JwtVerifier for Rsa {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Some providers put a zero before a number, as ASN.1 does (RFC 7518, 6.3.1.1); `ring` takes none.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// A point on an elliptic curve.
struct Curve {
    algorithm: Algorithm,
    key: UnparsedPublicKey<Vec<u8>>,
}

impl Verifier<Vec<u8>> for Curve {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.key.verify(message, signature).map_err(|_wrong| Error::new())
    }
}

impl JwtVerifier for Curve {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto;

    use super::*;

    /// What A.1 and A.3 of RFC 7515 sign.
    const CLAIMS: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    fn is_good(key: &DecodingKey, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        install();
        crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
    }

    #[test]
    fn the_examples_of_the_standards_are_good_and_no_others() {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let point =
            ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];
        let keys = [
            (
                // RFC 7515, A.1
                Algorithm::HS256,
                DecodingKey::from_secret(&BASE64.decode(secret).unwrap()),
                format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}"),
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
            (
                // RFC 7515, A.3
                Algorithm::ES256,
                DecodingKey::from_ec_components(point[0], point[1]).unwrap(),
                format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}"),
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                // RFC 8037, A.4
                Algorithm::EdDSA,
                DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap(),
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ];
        for (algorithm, key, message, signature) in &keys {
            assert!(is_good(key, *algorithm, message, signature), "{algorithm:?}");
            assert!(!is_good(key, *algorithm, &format!("{message}x"), signature), "{algorithm:?}");
            for (other, ..) in &keys {
                let same = other == algorithm;
                assert_eq!(is_good(key, *other, message, signature), same, "{algorithm:?} as {other:?}");
            }
        }
    }

    #[test]
    fn what_an_rsa_key_signed_is_good_also_if_its_numbers_begin_with_zeros() {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
        let pair =
            ring::rsa::KeyPair::from_der(include_bytes!("../../../tests/fixtures/jwks/rsa.der")).unwrap();
        let numbers: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
        let paddings: [(Algorithm, &dyn signature::RsaEncoding); 4] = [
            (Algorithm::RS256, &signature::RSA_PKCS1_SHA256),
            (Algorithm::RS512, &signature::RSA_PKCS1_SHA512),
            (Algorithm::PS256, &signature::RSA_PSS_SHA256),
            (Algorithm::PS384, &signature::RSA_PSS_SHA384),
        ];
        for (algorithm, padding) in paddings {
            let mut signed = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &ring::rand::SystemRandom::new(), b"text", &mut signed).unwrap();
            let signed = BASE64.encode(&signed);
            for zeros in [0, 1] {
                let padded = |number: &[u8]| [vec![0; zeros], number.to_vec()].concat();
                let key = DecodingKey::from_rsa_raw_components(&padded(&numbers.n), &padded(&numbers.e));
                for (other, _) in paddings {
                    assert_eq!(is_good(&key, other, "text", &signed), other == algorithm, "{algorithm:?}");
                }
                assert!(!is_good(&key, algorithm, "another text", &signed), "{algorithm:?}");
                assert!(!is_good(&key, Algorithm::HS256, "text", &signed), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn only_a_secret_signs_and_only_with_its_own_family() {
        install();
        let secret = EncodingKey::from_secret(b"key");
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let signature = crypto::sign(b"text", &secret, algorithm).unwrap();
            assert!(is_good(&DecodingKey::from_secret(b"key"), algorithm, "text", &signature));
            assert!(!is_good(&DecodingKey::from_secret(b"other"), algorithm, "text", &signature));
        }
        assert!(crypto::sign(b"text", &secret, Algorithm::RS256).is_err());
        assert!(crypto::sign(b"text", &EncodingKey::from_rsa_der(b"key"), Algorithm::RS256).is_err());
    }
}
