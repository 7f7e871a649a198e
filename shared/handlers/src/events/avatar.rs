//! A picture is kept elsewhere: its address is what the application said.

use domain::Error;
use http::{HeaderValue, StatusCode, header};

use crate::invocation::HttpReply;

/// There is no picture. The official client takes it calmly.
pub const NONE: Error = Error::NotFound("Avatar");

/// Sends the browser to the picture.
///
/// # Errors
/// [`Error::NotFound`] if there is none at an http(s) address.
pub fn reply(url: Option<&str>) -> Result<HttpReply, Error> {
    let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://")).ok_or(NONE)?;
    let location = HeaderValue::from_str(url).map_err(|_not_ascii| NONE)?;
    Ok(HttpReply::empty(StatusCode::FOUND).with(header::LOCATION, location))
}
