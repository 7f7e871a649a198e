//! Errors: JSON that names the field, as marshmallow says it, and Pyramid's pages.

use domain::Error;
use serde_json::{Map, Value, json};

use super::pretty;

/// The status and body of an error.
#[must_use]
pub fn encode(error: &Error) -> (u16, Vec<u8>) {
    let request = |text: String| json!({ "request": [text] });
    let (status, body) = match error {
        Error::Invalid { field, reason } => {
            let mut body = Map::new();
            body.insert(field.clone(), json!([reason]));
            // A body that cannot be read at all is no question of fields.
            (if field == "body" { 400 } else { 422 }, Value::Object(body))
        }
        Error::TooLarge { .. } => (413, request(error.to_string())),
        Error::Unauthenticated(_) => (401, request(error.to_string())),
        Error::Forbidden(_) => (403, request(error.to_string())),
        Error::NotFound(_) => (404, request(error.to_string())),
        Error::Exists(_) | Error::Conflict(_) => (409, request(error.to_string())),
        Error::Busy => (503, request(error.to_string())),
        Error::Internal(_) => (500, request("Internal Server Error".to_owned())),
    };
    (status, pretty(&body))
}

/// One of Pyramid's pages: `403 Forbidden`, what it says, and perhaps more. It is HTML, JSON or plain text, as the
/// request's `Accept` prefers; without one, text. Says its type too.
#[must_use]
pub fn page(accept: &str, title: &str, text: &str, more: &str) -> (&'static str, Vec<u8>) {
    let (html, json) = (quality(accept, "text", "html"), quality(accept, "application", "json"));
    if html > 0.0 && html >= json {
        let page = format!(
            "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {text}<br/><br/>\n{more}\n\n\n </body>\n</html>"
        );
        return ("text/html; charset=UTF-8", page.into_bytes());
    }
    let body = format!("{text}\n\n\n{more}\n\n");
    if json > 0.0 {
        let name = title.split_once(' ').map_or(title, |(_, name)| name);
        let page = json!({ "message": body, "code": title, "title": name });
        return ("application/json", page.to_string().into_bytes());
    }
    ("text/plain; charset=UTF-8", format!("{title}\n\n{body}").into_bytes())
}

/// How much an `Accept` wants a type: as its most specific range says.
fn quality(accept: &str, kind: &str, name: &str) -> f32 {
    // What is not understood asks for nothing in particular.
    let understood = accept.is_empty() || accept.split(',').all(|range| range.contains('/'));
    let accept = if understood { accept } else { "*/*" };
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let (of, what) = parts.next()?.split_once('/')?;
        let quality = parts.next().map_or(Some("1"), |part| part.strip_prefix("q="))?;
        let specific = match (of, what) {
            ("*", "*") => 0,
            (of, "*") if of.eq_ignore_ascii_case(kind) => 1,
            (of, what) if of.eq_ignore_ascii_case(kind) && what.eq_ignore_ascii_case(name) => 2,
            _ => return None,
        };
        Some((specific, quality.parse().unwrap_or(0.0)))
    });
    ranges.max_by_key(|(specific, _)| *specific).map_or(0.0, |(_, quality)| quality)
}

/// What the page says to whom access is denied.
pub const DENIED: &str = "Access was denied to this resource.";
/// What the page says to whom it does not know.
pub const UNKNOWN: &str = "This server could not verify that you are authorized to access the document you requested.  Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.";
/// What the page says where nothing is.
pub const NOWHERE: &str = "The resource could not be found.";

/// What the page adds where a path has no such method.
#[must_use]
pub fn mismatch(path: &str) -> String {
    let (view, methods) = match path {
        "/listen" => ("listen", "GET,HEAD"),
        "/admin/admin.json" => ("ServerViews", "GET,HEAD,POST"),
        // Its methods are views of their own.
        "/message" => return String::new(),
        path => (path.trim_start_matches('/'), "POST"),
    };
    format!("predicate mismatch for view {view} (request_method = {methods})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_text_never_leaves() {
        let (status, body) = encode(&Error::Internal("secret path".into()));
        assert_eq!(status, 500);
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
        assert_eq!(page("*/*", "403 Forbidden", DENIED, "").1.len(), 155);
    }

    #[test]
    fn a_page_is_what_is_accepted() {
        let is = |accept, expected: &str| {
            let (kind, _) = page(accept, "404 Not Found", NOWHERE, &mismatch("/connect"));
            assert!(kind.starts_with(expected), "{accept}: {kind}");
        };
        for accept in
            ["*/*", "text/html", "text/*, application/json", "application/json;q=0.5, text/html;q=0.9", "?"]
        {
            is(accept, "text/html");
        }
        for accept in ["application/json", "application/json, text/plain, */*;q=0.1", "text/html;q=0, */*"] {
            is(accept, "application/json");
        }
        for accept in ["", "image/png", "*/*;q=0", "text/html;level=1"] {
            is(accept, "text/plain");
        }
        assert_eq!(
            page("", "404 Not Found", NOWHERE, &mismatch("/connect")).1,
            b"404 Not Found\n\nThe resource could not be found.\n\n\npredicate mismatch for view connect (request_method = POST)\n\n"
        );
    }
}
