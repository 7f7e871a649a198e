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

/// One of Pyramid's pages: `403 Forbidden`, and what it says.
#[must_use]
pub fn page(title: &str, text: &str) -> Vec<u8> {
    format!(
        "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {text}\n\n\n\n </body>\n</html>"
    )
    .into_bytes()
}

/// What the page says to whom access is denied.
pub const DENIED: &str = "Access was denied to this resource.<br/><br/>";
/// What the page says to whom it does not know.
pub const UNKNOWN: &str = "This server could not verify that you are authorized to access the document you requested.  Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.<br/><br/>";
/// What the page says where nothing is.
pub const NOWHERE: &str = "The resource could not be found.<br/><br/>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_text_never_leaves() {
        let (status, body) = encode(&Error::Internal("secret path".into()));
        assert_eq!(status, 500);
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
        assert_eq!(page("403 Forbidden", DENIED).len(), 155);
    }
}
