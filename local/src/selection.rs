//! Route selection expressions of WebSocket APIs: `$request.body.action`, or several fields joined,
//! `${request.body.class}${request.body.subclass}`.
//!
//! Deliberately only fields of the body: nothing else is of use in a route selection expression here.

use serde_json::Value;

/// A route selection expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Field(Vec<String>),
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says what it does not understand.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("$request.body.") {
            return Ok(Self(vec![field(path)]));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("${") {
            let (inner, after) =
                after.split_once('}').ok_or_else(|| format!("`{text}` has an open brace"))?;
            let path = inner.strip_prefix("request.body.");
            let path = path.ok_or_else(|| format!("`{inner}` in `{text}` is no field of request.body"))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            pieces.push(field(path));
            rest = after;
        }
        if pieces.is_empty() {
            return Err(format!("`{text}` is no route selection expression"));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The route key that a message selects; none if it is no JSON or has not all of the fields.
    #[must_use]
    pub fn select(&self, message: &str) -> Option<String> {
        let body: Value = serde_json::from_str(message).ok()?;
        let mut key = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => key.push_str(literal),
                Piece::Field(path) => match path.iter().try_fold(&body, |value, name| value.get(name))? {
                    Value::String(text) => key.push_str(text),
                    value @ (Value::Number(_) | Value::Bool(_)) => key.push_str(&value.to_string()),
                    _ => return None,
                },
            }
        }
        Some(key)
    }
}

fn field(path: &str) -> Piece {
    Piece::Field(path.split('.').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_selected_by_one_field_or_by_several() {
        let action = Expression::parse("$request.body.action").unwrap();
        let nested = Expression::parse("$request.body.a.b").unwrap();
        let joined = Expression::parse("${request.body.class}${request.body.subclass}").unwrap();
        for (expression, message, key) in [
            (&action, r#"{"action":"ping"}"#, Some("ping")),
            (&action, r#"{"action":7}"#, Some("7")),
            (&action, r#"{"other":"ping"}"#, None),
            (&action, r#"{"action":{}}"#, None),
            (&action, "ping", None),
            (&nested, r#"{"a":{"b":"c"}}"#, Some("c")),
            (&joined, r#"{"class":"core","subclass":"user"}"#, Some("coreuser")),
            (&joined, r#"{"class":"core"}"#, None),
        ] {
            assert_eq!(expression.select(message).as_deref(), key, "{message}");
        }
        assert!(Expression::parse("action").is_err());
        assert!(Expression::parse("${request.body.a").is_err());
    }
}
