//! Bodies: JSON that is not too deep, into a type, with errors that name the field.

use domain::{Error, limits};
use serde::de::DeserializeOwned;

/// Reads a JSON body. An absent one is read as `{}`: whether fields are missing is the type's to say.
///
/// # Errors
/// [`Error::Invalid`], naming the field, or `body`.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    let text = std::str::from_utf8(body).map_err(|_bytes| Error::invalid("body", "is not UTF-8"))?;
    if is_deep(text) {
        return Err(Error::invalid("body", format!("is nested deeper than {} levels", limits::JSON_DEPTH)));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // `.` is the whole of it, and `?` what was not read far enough to have a name.
        let path = error.path().to_string();
        let named = path.trim_end_matches(['.', '?']);
        let field = if named.is_empty() { "body" } else { named };
        Error::invalid(field, reason(error.inner()))
    })?;
    reader.end().map_err(|error| Error::invalid("body", reason(&error)))?;
    Ok(value)
}

/// An object, read as fields. Serde takes an array for a struct too; a client that sends one means
/// something else.
#[derive(Debug, Default)]
pub struct Fields<T>(pub T);

impl<'de, T: DeserializeOwned> serde::Deserialize<'de> for Fields<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = domain::Object::deserialize(deserializer)?;
        serde_json::from_value(object.into()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads a JSON body that is an object.
///
/// # Errors
/// As [`parse`].
pub fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None | Some(b'{') => parse(body),
        Some(_) => {
            // Malformed is malformed, whatever it begins with.
            parse::<serde::de::IgnoredAny>(body)?;
            Err(Error::invalid("body", "must be a JSON object"))
        }
    }
}

/// Serde's text, without the place in the text.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// Whether brackets outside of strings nest too deeply.
#[must_use]
pub fn is_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limits::JSON_DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Body {
        #[serde(default)]
        items: Vec<Item>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Item {
        #[expect(dead_code, reason = "only its type matters")]
        name: String,
    }

    #[test]
    fn an_error_names_the_field() {
        let error = parse::<Body>(br#"{"items":[{"name":"a"},{"name":5}]}"#).unwrap_err();
        assert_eq!(error, Error::invalid("items[1].name", "invalid type: integer `5`, expected a string"));
        assert!(matches!(object::<Body>(b"{"), Err(Error::Invalid { .. })));
        assert!(matches!(object::<Body>(b"[]"), Err(Error::Invalid { field, .. }) if field == "body"));
        assert!(parse::<Body>(b"{} {}").is_err());
        assert!(parse::<Body>(b"\xff").is_err());
        assert!(parse::<Body>(b" ").unwrap().items.is_empty());
    }

    #[test]
    fn depth_counts_outside_of_strings() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse::<serde_json::Value>(nested(limits::JSON_DEPTH).as_bytes()).is_ok());
        assert!(parse::<serde_json::Value>(nested(limits::JSON_DEPTH + 1).as_bytes()).is_err());
        assert!(parse::<serde_json::Value>(nested(100_000).as_bytes()).is_err());
        let text = serde_json::to_string(&"[\"".repeat(1_000)).unwrap();
        assert!(parse::<serde_json::Value>(text.as_bytes()).is_ok());
    }
}
