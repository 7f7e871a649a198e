//! The signed secret: `itsdangerous` 1.1's `TimestampSigner`, as the application's server signs its requests.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};

/// How old a signature may be, in seconds. One from the future passes, as on the original.
pub const MAX_AGE_SECONDS: i64 = 60;

/// Whether the text was signed with the secret, not too long before `now`. What was signed does not matter.
#[must_use]
pub fn is_valid(signed: &str, secret: &str, now: Timestamp) -> bool {
    let Some((value, signature)) = signed.rsplit_once('.') else { return false };
    let Some((_, stamp)) = value.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let Some(mac) = mac(secret, value) else { return false };
    // In constant time.
    if mac.verify_slice(&signature).is_err() {
        return false;
    }
    let Ok(stamp) = URL_SAFE_NO_PAD.decode(stamp) else { return false };
    if stamp.len() > 7 {
        return false;
    }
    let at = stamp.iter().fold(0_i64, |at, byte| (at << 8) | i64::from(*byte));
    now.seconds() - at <= MAX_AGE_SECONDS
}

/// Signs a text.
#[must_use]
pub fn sign(text: &str, secret: &str, now: Timestamp) -> String {
    let seconds = now.seconds().to_be_bytes();
    let first = seconds.iter().position(|byte| *byte != 0).unwrap_or(seconds.len());
    let stamp = URL_SAFE_NO_PAD.encode(seconds.get(first..).unwrap_or_default());
    let value = format!("{text}.{stamp}");
    let signature = mac(secret, &value).map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    format!("{value}.{}", signature.unwrap_or_default())
}

fn mac(secret: &str, value: &str) -> Option<Hmac<Sha1>> {
    let mut key = Sha1::new();
    key.update(b"itsdangerous.Signersigner");
    key.update(secret.as_bytes());
    let mut mac = Hmac::<Sha1>::new_from_slice(&key.finalize()).ok()?;
    mac.update(value.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn the_recorded_vectors_are_signed_alike() {
        for (text, secret, at, signed) in [
            ("channelstream", "secret", 1_700_000_000, "channelstream.ZVPxAA.UB9ITnnv9UITu0ka92WJCn1VFsQ"),
            ("/connect", "s3cr3t", 1_700_000_000, "/connect.ZVPxAA.aUQlSyfKx-pOWfC4JCNxgf9TVzs"),
            ("channelstream", "secret", 1_795_305_396, "channelstream.awIvtA.zGkdV2z43XoY0-VmUxTb2z35t9c"),
        ] {
            let at = Timestamp::from_millis(at * 1_000);
            assert_eq!(sign(text, secret, at), signed);
            assert!(is_valid(signed, secret, at));
        }
    }

    #[test]
    fn a_signature_lives_for_a_minute_and_belongs_to_its_secret() {
        let signed = sign("a.b", "secret", THEN);
        assert!(is_valid(&signed, "secret", THEN.plus_seconds(60)));
        assert!(!is_valid(&signed, "secret", THEN.plus_seconds(61)));
        assert!(is_valid(&signed, "secret", THEN.plus_seconds(-600)));
        assert!(!is_valid(&signed, "other", THEN));
        for forged in ["", ".", "..", "a.b.c", &signed.replace("a.b", "a.c"), &format!("{signed}x")] {
            assert!(!is_valid(forged, "secret", THEN), "{forged}");
        }
    }
}
