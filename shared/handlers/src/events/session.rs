//! Who calls: the cookie `VirolaUserSessionId` from a login, or `Authorization`.
//!
//! The cookie is a session of its own in the table. A logout ends it, and so do the user's removal and a new
//! password: each request asks the table, which costs one consistent read more than a token. A cookie counts only for a page of the
//! same origin or of one on the list; `Authorization` is stronger where both are there.

use domain::Error;
use http::{HeaderMap, HeaderValue, header};
use store::session::LIFETIME_SECONDS;

use crate::{
    auth::{self, Caller},
    context::Context,
    handshake,
};

/// The cookie's name.
pub const COOKIE: &str = "VirolaUserSessionId";
/// Nothing says who calls.
pub const NOBODY: Error =
    Error::Unauthenticated("The Authorization HTTP-header or VirolaUserSessionId cookie expected");
/// What should say it is wrong: a token, or the cookie of a session that is over.
const WRONG_BEARER: Error = Error::Unauthenticated("Wrong Bearer, please renew Web API Access Token");

/// Who calls, and the session's secret where it is one.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn caller(cx: &Context, headers: &HeaderMap) -> Result<(Caller, Option<String>), Error> {
    match auth::caller(cx, headers).await {
        Ok(Some(caller)) => Ok((caller, None)),
        Ok(None) => {
            let (caller, secret) = by_cookie(cx, headers).await?.ok_or(NOBODY)?;
            Ok((caller, Some(secret)))
        }
        Err(Error::Unauthenticated(_)) => Err(WRONG_BEARER),
        Err(error) => Err(error),
    }
}

/// Whose session the cookie is of; none if there is no cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] if there is no such session or it is over, [`Error::Forbidden`] to a page of another origin.
pub async fn by_cookie(cx: &Context, headers: &HeaderMap) -> Result<Option<(Caller, String)>, Error> {
    let Some(secret) = secret(headers) else { return Ok(None) };
    if !handshake::may_use_cookie(cx, headers) {
        return Err(Error::Forbidden("This origin is not allowed."));
    }
    let user = cx.store.session(secret, cx.clock.now()).await?.ok_or(WRONG_BEARER)?;
    let caller = Caller { user: Some(user), powerful: false, server: false };
    Ok(Some((caller, secret.to_owned())))
}

fn secret(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = fields.flat_map(|field| field.split(';')).filter_map(|one| one.trim().split_once('='));
    cookies.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.trim_matches('"'))
}

/// `Set-Cookie` of a session; without a secret it takes the cookie away.
///
/// # Errors
/// [`Error::Internal`].
pub fn set_cookie(headers: &HeaderMap, secret: Option<&str>) -> Result<HeaderValue, Error> {
    let age = if secret.is_some() { LIFETIME_SECONDS } else { 0 };
    let secure = if is_plain_loopback(headers) { "" } else { "; Secure" };
    let text = format!(
        "{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}",
        secret.unwrap_or_default()
    );
    HeaderValue::from_str(&text).map_err(|error| Error::Internal(format!("cookie: {error}")))
}

/// Whether this is one's own machine without TLS, where a browser would not keep a secure cookie.
fn is_plain_loopback(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address: Option<std::net::IpAddr> = host.parse().ok();
    let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    loopback && text("x-forwarded-proto") != Some("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        fields.iter().map(field).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = |text| secret(&headers(&[("cookie", text)])).map(str::to_owned);
        assert_eq!(found("a=b; VirolaUserSessionId=x1; c=d").as_deref(), Some("x1"));
        assert_eq!(found("NotVirolaUserSessionId=x1"), None);
        assert_eq!(found("VirolaUserSessionId"), None);
    }

    #[test]
    fn a_cookie_is_secure_unless_on_one_s_own_machine_without_tls() {
        let secure = |fields: &[_]| {
            let cookie = set_cookie(&headers(fields), Some("x")).unwrap();
            cookie.to_str().unwrap().ends_with("; Secure")
        };
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "127.0.0.1"] {
            assert!(!secure(&[("host", host)]), "{host}");
        }
        assert!(secure(&[("host", "chat.example")]));
        assert!(secure(&[("host", "127.0.0.1.example:3000")]));
        assert!(secure(&[("host", "localhost"), ("x-forwarded-proto", "https")]));
        assert!(secure(&[]));
    }
}
