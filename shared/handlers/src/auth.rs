//! Who is calling: the application's server by its secret, a user by a token.
//!
//! Promises: secrets are compared in constant time, of tokens signed here only HS256 is taken, an expired token is refused to the
//! second, and a user who proves an id for the first time exists from then on.

use base64::{Engine as _, engine::general_purpose};
use domain::{Error, Timestamp, UserId};
use http::{HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Deserializer, Serialize};
use subtle::ConstantTimeEq as _;

use crate::{
    context::{Context, Secrets},
    signature,
};

/// Somebody who proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user who acts, or whom the application's server acts for.
    pub user: Option<UserId>,
    /// An admin's token or the server's secret: may do everything.
    pub powerful: bool,
    /// The application's server.
    pub server: bool,
}

impl Caller {
    /// The user, where a call makes no sense without one.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the header that would have said it.
    pub fn user(&self) -> Result<&UserId, Error> {
        self.user.as_ref().ok_or_else(|| Error::invalid("User-Id", "this call acts for a user: name one"))
    }
}

/// What a user token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// When it ends, unix seconds.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: i64,
    /// The user may do everything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
}

/// What a token says that somebody else may have made.
#[derive(Debug, Deserialize)]
pub(crate) struct Signed {
    #[serde(flatten)]
    claims: Claims,
    /// From when on it is good, unix seconds; none: at once.
    #[serde(default, deserialize_with = "maybe_numeric_date")]
    nbf: Option<i64>,
}

/// Seconds since 1970, which may be a fraction (RFC 7519, section 2); it counts the last whole second.
fn numeric_date<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Date {
        Whole(i64),
        Fraction(f64),
    }
    Ok(match Date::deserialize(from)? {
        Date::Whole(seconds) => seconds,
        #[expect(clippy::cast_possible_truncation, reason = "a cast of what is out of range saturates")]
        Date::Fraction(seconds) => seconds.floor() as i64,
    })
}

fn maybe_numeric_date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    numeric_date(from).map(Some)
}

/// Signs a user token.
///
/// # Errors
/// [`Error::Internal`].
pub fn mint(token_key: &str, claims: &Claims) -> Result<String, Error> {
    signature::install();
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(token_key.as_bytes()),
    )
    .map_err(|error| Error::Internal(format!("token: {error}")))
}

/// The answer to every token that is not good, whatever is wrong with it.
pub(crate) const REFUSED: Error = Error::Unauthenticated("The token is invalid or has expired.");

/// What a token says, if it was signed with the token key or by the issuer and has not ended: the JWT itself, or its
/// base64.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn verify(secrets: &Secrets, token: &str, now: Timestamp) -> Result<(UserId, Claims), Error> {
    let decoded;
    let jwt = if token.contains('.') {
        token
    } else {
        decoded = from_base64(token).ok_or(REFUSED)?;
        decoded.as_str()
    };
    signature::install();
    let algorithm = jsonwebtoken::decode_header(jwt).map_err(|_malformed| REFUSED)?.alg;
    let Signed { claims, nbf } = match &secrets.issuer {
        Some(issuer) if algorithm != Algorithm::HS256 => issuer.verify(jwt).await?,
        _ => signed_here(&secrets.token_key, jwt)?,
    };
    let Ok(user) = UserId::parse(claims.sub.clone()) else { return Err(REFUSED) };
    if claims.exp <= now.seconds() || nbf.is_some_and(|nbf| nbf > now.seconds()) {
        return Err(REFUSED);
    }
    Ok((user, claims))
}

/// What a token says that was signed with the token key.
fn signed_here(token_key: &str, jwt: &str) -> Result<Signed, Error> {
    let mut validation = Validation::new(Algorithm::HS256);
    // Against our own clock, and without the library's minute of leeway.
    validation.validate_exp = false;
    // Whoever has the key says what the token is for.
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "sub"]);
    let key = DecodingKey::from_secret(token_key.as_bytes());
    let token = jsonwebtoken::decode::<Signed>(jwt, &key, &validation);
    token.map(|token| token.claims).map_err(|_refused| REFUSED)
}

/// Who sends this request; none if it says nothing about it.
///
/// # Errors
/// [`Error::Unauthenticated`] if what it says is wrong; [`Error::Invalid`] for a `User-Id` that is no id.
pub async fn caller(cx: &Context, headers: &HeaderMap) -> Result<Option<Caller>, Error> {
    let Some(authorization) = headers.get(AUTHORIZATION) else { return Ok(None) };
    const SCHEME: Error = Error::Unauthenticated("The Authorization header is neither Basic nor Bearer.");
    let (scheme, credentials) =
        authorization.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(SCHEME)?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return user(cx, credentials).await.map(Some);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(SCHEME);
    }
    if !is_server(&cx.secrets, credentials) {
        return Err(Error::Unauthenticated("The server secret is wrong."));
    }
    let user = match headers.get("user-id") {
        None => None,
        Some(value) => {
            let text = std::str::from_utf8(value.as_bytes())
                .map_err(|_not_utf8| Error::invalid("User-Id", "is not UTF-8"))?;
            let id = UserId::parse(text).map_err(|_invalid| Error::invalid("User-Id", "is no user id"))?;
            cx.store.ensure_user(&id, cx.clock.now()).await?;
            Some(id)
        }
    };
    Ok(Some(Caller { user, powerful: true, server: true }))
}

/// The user of a token. Whoever is seen for the first time exists from now on.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn user(cx: &Context, token: &str) -> Result<Caller, Error> {
    let now = cx.clock.now();
    let (id, claims) = verify(&cx.secrets, token, now).await?;
    cx.store.ensure_user(&id, now).await?;
    Ok(Caller { user: Some(id), powerful: claims.admin, server: false })
}

/// Whether these are Basic's credentials of the application's server: the base64 of the secret, also with a
/// colon before or after it.
#[must_use]
fn is_server(secrets: &Secrets, credentials: &str) -> bool {
    // Without a secret nobody is the server, rather than everybody.
    if secrets.server.is_empty() {
        return false;
    }
    let Some(text) = from_base64(credentials) else { return false };
    let same = |candidate: &str| bool::from(candidate.as_bytes().ct_eq(secrets.server.as_bytes()));
    let without_trailing = text.strip_suffix(':').unwrap_or(&text);
    let without_leading = text.strip_prefix(':').unwrap_or(&text);
    same(&text) | same(without_trailing) | same(without_leading)
}

/// The name and the password that Basic credentials say; none if they are no such pair.
#[must_use]
pub fn name_and_password(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = scheme.eq_ignore_ascii_case("basic").then(|| from_base64(credentials.trim())).flatten()?;
    let (name, password) = text.split_once(':')?;
    (!name.is_empty() && !password.is_empty()).then(|| (name.to_owned(), password.to_owned()))
}

fn from_base64(text: &str) -> Option<String> {
    let bytes = general_purpose::STANDARD
        .decode(text)
        .or_else(|_| general_purpose::STANDARD_NO_PAD.decode(text))
        .or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(text))
        .ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn secrets(token_key: &str) -> Secrets {
        Secrets { server: "server".into(), token_key: token_key.into(), issuer: None }
    }

    async fn is_good(token_key: &str, token: &str) -> bool {
        verify(&secrets(token_key), token, NOW).await.is_ok()
    }

    fn claims(exp: i64) -> Claims {
        Claims { sub: "ann".into(), exp, admin: false }
    }

    /// A token of these claims, signed with `key`.
    fn signed(claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(b"key");
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
    }

    #[tokio::test]
    async fn other_makers_of_tokens_are_understood() {
        for (claims, good) in [
            (json!({"sub": "ann", "exp": 1_700_000_001.9}), true),
            (json!({"sub": "ann", "exp": 1_700_000_000.9}), false),
            (json!({"sub": "ann", "exp": 1e12}), true),
            (json!({"sub": "ann", "exp": -1e300}), false),
            (json!({"sub": "ann", "exp": "1800000000"}), false),
            (json!({"sub": "ann", "exp": null}), false),
            (json!({"sub": "ann"}), false),
            (
                json!({"sub": "ann", "exp": 1_800_000_000, "aud": "chat", "iss": "me", "iat": 1.5, "jti": "x"}),
                true,
            ),
            (json!({"sub": "ann", "exp": 1_800_000_000, "nbf": 1_700_000_000}), true),
            (json!({"sub": "ann", "exp": 1_800_000_000, "nbf": 1_700_000_001}), false),
        ] {
            assert_eq!(is_good("key", &signed(&claims)).await, good, "{claims}");
        }
    }

    #[tokio::test]
    async fn a_token_is_taken_until_the_second_it_ends() {
        let token = mint("key", &claims(1_700_000_001)).unwrap();
        assert_eq!(verify(&secrets("key"), &token, NOW).await.unwrap().0, UserId::parse("ann").unwrap());
        let wrapped = general_purpose::STANDARD.encode(&token);
        assert!(is_good("key", &wrapped).await);
        assert!(!is_good("other", &token).await);
        assert!(!is_good("key", &mint("key", &claims(1_700_000_000)).unwrap()).await);
    }

    #[tokio::test]
    async fn forged_tokens_are_refused() {
        let token = mint("key", &claims(1_800_000_000)).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let encode = |text: &str| general_purpose::URL_SAFE_NO_PAD.encode(text);
        let none = format!("{}.{}.", encode(r#"{"alg":"none","typ":"JWT"}"#), parts[1]);
        let admin = encode(r#"{"sub":"ann","exp":1800000000,"admin":true}"#);
        for forged in [none, format!("{}.{admin}.{}", parts[0], parts[2]), "a.b.c".into(), String::new()] {
            assert!(!is_good("key", &forged).await, "{forged}");
        }
        let hs512 = jsonwebtoken::encode(
            &Header::new(Algorithm::HS512),
            &claims(1_800_000_000),
            &EncodingKey::from_secret(b"key"),
        );
        assert!(!is_good("key", &hs512.unwrap()).await);
    }

    #[test]
    fn the_server_secret_may_have_a_colon_on_either_side() {
        let with_secret = Secrets { server: "s3cret".into(), ..secrets("") };
        for (text, expected) in [
            ("s3cret", true),
            ("s3cret:", true),
            (":s3cret", true),
            ("s3cre", false),
            ("s3cret::", false),
            ("", false),
        ] {
            assert_eq!(is_server(&with_secret, &general_purpose::STANDARD.encode(text)), expected, "{text}");
        }
        assert!(!is_server(&with_secret, "s3cret"));
        let none = Secrets { server: String::new(), ..secrets("") };
        assert!(!is_server(&none, "") && !is_server(&none, &general_purpose::STANDARD.encode(":")));
    }
}
