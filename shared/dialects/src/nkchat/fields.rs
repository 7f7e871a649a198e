//! The `data` of a command: fields by name, coerced to text where text is wanted, and what is left over.

use domain::Object;
use serde_json::Value;

use super::error::Refusal;

/// The fields of a command. What was asked for is taken out; what is left at the end nobody knows.
#[derive(Debug, Clone, Default)]
pub struct Fields(Object);

impl Fields {
    /// The fields of this object. `null` is as good as nothing.
    #[must_use]
    pub fn new(data: Object) -> Self {
        Self(data)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A text; numbers and booleans are taken as their text.
    ///
    /// # Errors
    /// [`Refusal::SyntaxError`] for an array or an object.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => coerced(value).map(Some).ok_or_else(|| Refusal::SyntaxError(name.to_owned())),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// [`Refusal::MissingField`], [`Refusal::SyntaxError`].
    pub fn needed_text(&mut self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal::MissingField(name.to_owned()))
    }

    /// A list of texts. A single text is taken as a list of one.
    ///
    /// # Errors
    /// [`Refusal::SyntaxError`].
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let syntax = || Refusal::SyntaxError(name.to_owned());
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(values)) => {
                values.into_iter().map(coerced).collect::<Option<Vec<_>>>().map(Some).ok_or_else(syntax)
            }
            Some(value) => coerced(value).map(|one| Some(vec![one])).ok_or_else(syntax),
        }
    }

    /// A list of texts that must be there, and must be a list.
    ///
    /// # Errors
    /// [`Refusal::MissingField`], [`Refusal::SyntaxError`].
    pub fn needed_list(&mut self, name: &str) -> Result<Vec<String>, Refusal> {
        self.list(name)?.ok_or_else(|| Refusal::MissingField(name.to_owned()))
    }

    /// A list of texts.
    ///
    /// # Errors
    /// [`Refusal::SyntaxError`], also for a single text.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null | Value::Array(_)) => self.texts(name),
            Some(_) => Err(Refusal::SyntaxError(name.to_owned())),
        }
    }

    /// An object.
    ///
    /// # Errors
    /// [`Refusal::SyntaxError`].
    pub fn object(&mut self, name: &str) -> Result<Option<Object>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(Refusal::SyntaxError(name.to_owned())),
        }
    }

    /// A whole number of at most `most`, also as a text of digits.
    ///
    /// # Errors
    /// [`Refusal::SyntaxError`].
    pub fn whole(&mut self, name: &str, most: u64) -> Result<Option<u64>, Refusal> {
        let number = match self.take(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(digits)) => digits.parse().ok(),
            Some(_) => None,
        };
        let number = number.filter(|number| *number <= most);
        number.map(Some).ok_or_else(|| Refusal::SyntaxError(name.to_owned()))
    }

    /// The names that nobody asked for, in order.
    #[must_use]
    pub fn unknown(self) -> Vec<String> {
        let mut names: Vec<String> = self.0.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }
}

fn coerced(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        let Value::Object(object) = value else { panic!("not an object") };
        Fields::new(object)
    }

    #[test]
    fn scalars_are_text_and_the_rest_is_a_syntax_error() {
        let mut it = fields(json!({"a": 5, "b": [1], "c": null, "size": "7", "from": -1, "z": 1, "y": 2}));
        assert_eq!(it.text("a"), Ok(Some("5".to_owned())));
        assert_eq!(it.text("b"), Err(Refusal::SyntaxError("b".into())));
        assert_eq!(it.needed_text("c"), Err(Refusal::MissingField("c".into())));
        assert_eq!(it.whole("size", 100), Ok(Some(7)));
        assert_eq!(it.whole("from", 100), Err(Refusal::SyntaxError("from".into())));
        assert_eq!(it.unknown(), ["y", "z"]);
    }
}
