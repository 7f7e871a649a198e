//! `switchboard token`: a user token, signed with the token key.

use std::time::Duration;

use domain::{Error, UserId};
use handlers::{
    auth::{self, Claims},
    context::Clock,
};

/// A JWT, HS256, that names the user until it expires.
///
/// # Errors
/// [`Error::Invalid`] if it is no user id.
pub fn user_token(user: &str, admin: bool, lifetime: Duration, token_key: &str) -> Result<String, Error> {
    let sub = UserId::parse(user)?.as_str().to_owned();
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let exp = Clock::system().now().plus_seconds(lifetime).seconds();
    auth::mint(token_key, &Claims { sub, exp, admin })
}

/// Reads `90s`, `15m`, `1h`, `30d`, or bare seconds.
///
/// # Errors
/// Says what is understood.
pub fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => 0,
    };
    let number =
        number.parse::<u64>().ok().filter(|_| seconds > 0).and_then(|number| number.checked_mul(seconds));
    number.map(Duration::from_secs).ok_or_else(|| format!("`{text}` is no time: 90s, 15m, 1h or 30d"))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode};

    use super::*;

    #[test]
    fn a_token_says_who_until_when_and_admin_only_if_asked() {
        for admin in [false, true] {
            let token = user_token("ann", admin, Duration::from_secs(3600), "key").unwrap();
            let key = DecodingKey::from_secret(b"key");
            let claims = decode::<serde_json::Value>(&token, &key, &Validation::default()).unwrap().claims;
            assert_eq!(claims["sub"], "ann");
            assert_eq!(claims.get("admin").is_some(), admin);
        }
    }

    #[test]
    fn lifetimes_have_units() {
        assert_eq!(parse_lifetime("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(parse_lifetime("90"), Ok(Duration::from_secs(90)));
        for wrong in ["", "h", "1w", "-1s", "1.5h"] {
            assert!(parse_lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
