//! Pages of other origins, as API Gateway's HTTP API serves them by the template's `CorsConfiguration`: it answers their
//! preflights itself, and says of every answer which pages may read it.
//!
//! Channelstream has headers of its own for this, which its clients were recorded with: its routes are left alone.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

/// What pages of other origins may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    methods: HeaderValue,
    headers: HeaderValue,
    max_age: HeaderValue,
}

/// A page that may read the answer to its request.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its origin, or that any may.
    origin: HeaderValue,
}

impl Cors {
    /// From the lists that the template has.
    ///
    /// # Errors
    /// If they are no headers.
    pub(crate) fn new(methods: &[String], headers: &[String], seconds: u64) -> Result<Self, String> {
        let value = |text: String| {
            HeaderValue::from_str(&text).map_err(|_invalid| format!("`{text}` is no header of CORS"))
        };
        Ok(Self {
            methods: value(methods.join(","))?,
            headers: value(headers.join(","))?,
            max_age: seconds.into(),
        })
    }

    /// The page that asks, if there is one and it may read the answer. No origins: all may.
    pub(crate) fn page(&self, origins: &[String], headers: &HeaderMap) -> Option<Page> {
        let asking = headers.get(header::ORIGIN)?;
        if origins.is_empty() || origins.iter().any(|one| one == "*") {
            return Some(Page { origin: HeaderValue::from_static("*") });
        }
        let listed = origins.iter().any(|one| one.as_bytes() == asking.as_bytes());
        listed.then(|| Page { origin: asking.clone() })
    }

    /// The answer to a preflight; without a word where the page may not.
    pub(crate) fn preflight(&self, page: Option<&Page>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(page) = page {
            let headers = response.headers_mut();
            page.admit(headers);
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        response
    }
}

impl Page {
    /// Says that it may read the answer; with its cookies, if it is on a list and not just anybody.
    pub(crate) fn admit(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        if self.origin != "*" {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            headers.append(header::VARY, header::ORIGIN.into());
        }
    }
}

/// The method that a preflight asks about; none if it is no preflight.
pub(crate) fn asked_about<B>(request: &Request<B>) -> Option<Method> {
    let method = request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let asks = request.method() == Method::OPTIONS && request.headers().contains_key(header::ORIGIN);
    Method::from_bytes(method.as_bytes()).ok().filter(|_| asks)
}
