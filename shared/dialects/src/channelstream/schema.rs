//! What a field may be, and what is said of one that it is not: marshmallow 2.18's rules and texts.

use domain::Object;
use serde_json::{Map, Value, json};

/// What is wrong, by field.
pub type Faults = Map<String, Value>;

/// A field's own faults: texts, or what is wrong inside it.
pub type Checked<T> = Result<T, Value>;

/// An object whose fields are being read.
#[derive(Debug)]
pub struct Reader<'a> {
    object: &'a Object,
    faults: Faults,
}

fn fault<T>(text: &str) -> Checked<T> {
    Err(json!([text]))
}

impl<'a> Reader<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// What is said of anything else.
    pub fn new(value: &'a Value) -> Checked<Self> {
        match value.as_object() {
            Some(object) => Ok(Self { object, faults: Faults::new() }),
            None => Err(json!({ "_schema": ["Invalid input type."] })),
        }
    }

    /// A field that need not be there.
    pub fn optional<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Checked<T>) -> Option<T> {
        let value = self.object.get(name)?;
        let read = if value.is_null() { fault("Field may not be null.") } else { read(value) };
        self.note(name, read)
    }

    /// A field that need not be there, and may be null.
    pub fn nullable<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Checked<T>) -> Option<T> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        self.note(name, read(value))
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Checked<T>) -> Option<T> {
        if self.object.contains_key(name) {
            return self.optional(name, read);
        }
        self.note(name, fault("Missing data for required field."))
    }

    /// Says what is wrong with a field.
    pub fn note<T>(&mut self, name: &str, read: Checked<T>) -> Option<T> {
        read.map_err(|fault| self.faults.insert(name.to_owned(), fault)).ok()
    }

    /// What was read, if nothing was wrong.
    ///
    /// # Errors
    /// What was wrong.
    pub fn finish<T>(self, read: Option<T>) -> Checked<T> {
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(Value::Object(self.faults)),
        }
    }
}

/// A text of at most that many characters, one at least. Longer than an id may be, in bytes, is too long as well.
///
/// # Errors
/// What is wrong with it.
pub fn text(value: &Value, most: usize) -> Checked<String> {
    let Some(text) = value.as_str() else { return fault("Not a valid string.") };
    let count = text.chars().count();
    if count == 0 || count > most || text.len() > domain::limits::ID_BYTES {
        return fault(&format!("Length must be between 1 and {most}."));
    }
    if text.chars().any(char::is_control) {
        return fault("Not a valid string.");
    }
    Ok(text.to_owned())
}

/// The name of a channel.
///
/// # Errors
/// What is wrong with it.
pub fn channel(value: &Value) -> Checked<String> {
    text(value, 256)
}

/// The name of a user.
///
/// # Errors
/// What is wrong with it.
pub fn user(value: &Value) -> Checked<String> {
    text(value, 512)
}

/// A list.
///
/// # Errors
/// What is wrong with it, or with which of its elements.
pub fn list<T>(value: &Value, read: impl Fn(&Value) -> Checked<T>) -> Checked<Vec<T>> {
    let Some(values) = value.as_array() else { return fault("Not a valid list.") };
    let mut faults = Faults::new();
    let mut list = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let one = if value.is_null() { fault("Field may not be null.") } else { read(value) };
        match one {
            Ok(one) => list.push(one),
            Err(fault) => {
                faults.insert(index.to_string(), fault);
            }
        }
    }
    if faults.is_empty() { Ok(list) } else { Err(Value::Object(faults)) }
}

/// A list of objects that is a whole body: one that is wrong rejects it.
///
/// # Errors
/// What is wrong, by index.
pub fn many<T>(body: &Value, read: impl Fn(&Value) -> Checked<T>) -> Checked<Vec<T>> {
    let Some(values) = body.as_array() else { return Err(json!({ "_schema": ["Invalid input type."] })) };
    let (mut faults, mut misfits) = (Faults::new(), Vec::new());
    let mut list = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        match read(value) {
            Ok(one) => list.push(one),
            Err(fault) if value.is_object() => {
                faults.insert(index.to_string(), fault);
            }
            // What is no object has no fields: the fault is the list's.
            Err(_) => {
                faults.insert(index.to_string(), Value::Object(Faults::new()));
                misfits.push("Invalid input type.");
            }
        }
    }
    if !misfits.is_empty() {
        faults.insert("_schema".to_owned(), json!(misfits));
    }
    if faults.is_empty() { Ok(list) } else { Err(Value::Object(faults)) }
}

/// True or false, in one of many ways.
///
/// # Errors
/// What is wrong with it.
pub fn boolean(value: &Value) -> Checked<bool> {
    match value {
        Value::Bool(is) => Ok(*is),
        Value::String(text) => match text.as_str() {
            "t" | "T" | "true" | "True" | "TRUE" | "1" => Ok(true),
            "f" | "F" | "false" | "False" | "FALSE" | "0" => Ok(false),
            _ => fault("Not a valid boolean."),
        },
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok(true),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok(false),
        _ => fault("Not a valid boolean."),
    }
}

/// A whole number that is not below zero.
///
/// # Errors
/// What is wrong with it.
pub fn size(value: &Value) -> Checked<u64> {
    const NONE: &str = "Not a valid integer.";
    let number = match value {
        Value::Bool(is) => i64::from(*is),
        Value::String(text) => match text.trim().parse() {
            Ok(number) => number,
            Err(_) => return fault(NONE),
        },
        Value::Number(number) => match number.as_i64() {
            Some(number) => number,
            // What is larger is as good as the largest.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "Python's int() cuts too; Rust's `as` saturates"
            )]
            None => number.as_f64().map_or(i64::MAX, |number| number as i64),
        },
        _ => return fault(NONE),
    };
    u64::try_from(number).map_err(|_negative| json!(["Must be at least 0."]))
}

/// A uuid, in any of the spellings that Python takes, as it is said back.
///
/// # Errors
/// What is wrong with it.
pub fn uuid(value: &Value) -> Checked<String> {
    value.as_str().and_then(uuid_of).map_or_else(|| fault("Not a valid UUID."), Ok)
}

/// The uuid that a text spells.
#[must_use]
pub fn uuid_of(text: &str) -> Option<String> {
    let hex: String = text.replace("urn:", "").replace("uuid:", "");
    let hex: String = hex.trim_matches(['{', '}']).chars().filter(|char| *char != '-').collect();
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let hex = hex.to_ascii_lowercase();
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    Some(format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)))
}

/// A time, as it is said back.
///
/// # Errors
/// What is wrong with it.
pub fn time(value: &Value) -> Checked<String> {
    value.as_str().and_then(super::time::given).map_or_else(|| fault("Not a valid datetime."), Ok)
}

/// An object whose keys are the caller's own.
///
/// # Errors
/// What is wrong with it.
pub fn object(value: &Value) -> Checked<Object> {
    value.as_object().cloned().map_or_else(|| fault("Not a valid mapping type."), Ok)
}

/// An object whose values are all of a kind.
///
/// # Errors
/// What is wrong with it, or with which of its values.
pub fn mapping<T>(value: &Value, read: impl Fn(&Value) -> Checked<T>) -> Checked<Vec<(String, T)>> {
    let object = object(value)?;
    let mut faults = Faults::new();
    let mut values = Vec::with_capacity(object.len());
    for (key, value) in &object {
        match read(value) {
            Ok(one) => values.push((key.clone(), one)),
            Err(fault) => {
                faults.insert(key.clone(), json!({ "value": fault }));
            }
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(Value::Object(faults)) }
}

/// The values of a user's state.
///
/// # Errors
/// What is wrong with them.
pub fn state(value: &Value) -> Checked<Object> {
    let scalar = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => {
            fault("Value is not type of string, integer, boolean or float.")
        }
        scalar => Ok(scalar.clone()),
    };
    Ok(mapping(value, scalar)?.into_iter().collect())
}

/// Something that may not be null.
///
/// # Errors
/// What is wrong with it.
pub fn present<T>(value: &Value, read: impl Fn(&Value) -> Checked<T>) -> Checked<T> {
    if value.is_null() { fault("Field may not be null.") } else { read(value) }
}

/// At least one element.
///
/// # Errors
/// If there is none.
pub fn some<T>(list: Vec<T>) -> Checked<Vec<T>> {
    if list.is_empty() { fault("Shorter than minimum length 1.") } else { Ok(list) }
}
