//! The expressions that the store uses, as DynamoDB evaluates them: conditions, updates, key conditions. What is not
//! understood is refused, so that nothing is taken for true by mistake.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// An item, its values as DynamoDB's JSON has them: `{"S": "text"}`.
pub type Item = Map<String, Value>;

/// What an expression's names and values stand for.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// `#name`.
    pub names: Option<&'a Value>,
    /// `:value`.
    pub values: Option<&'a Value>,
}

impl<'a> Named<'a> {
    /// Those of a request, or of one write of a transaction.
    #[must_use]
    pub fn of(request: &'a Value) -> Self {
        Self {
            names: request.get("ExpressionAttributeNames"),
            values: request.get("ExpressionAttributeValues"),
        }
    }

    fn attribute(&self, word: &'a str) -> Result<&'a str, String> {
        if !word.starts_with('#') {
            return Ok(word);
        }
        let name = self.names.and_then(|names| names.get(word)).and_then(Value::as_str);
        name.ok_or_else(|| format!("{word} names no attribute"))
    }

    fn value(&self, word: &str) -> Result<&'a Value, String> {
        let value = self.values.and_then(|values| values.get(word));
        value.ok_or_else(|| format!("{word} is no value"))
    }
}

/// An expression's words, from the first to the last.
struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
    named: Named<'a>,
}

impl<'a> Words<'a> {
    fn of(text: &'a str, named: Named<'a>) -> Self {
        let (mut words, mut rest) = (Vec::new(), text.trim_start());
        while let Some(first) = rest.chars().next() {
            let is_word = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '#' | ':');
            let length = if is_word(first) {
                rest.find(|one| !is_word(one)).unwrap_or(rest.len())
            } else if ["<>", "<=", ">="].iter().any(|two| rest.starts_with(two)) {
                2
            } else {
                first.len_utf8()
            };
            let (word, behind) = rest.split_at(length);
            words.push(word);
            rest = behind.trim_start();
        }
        Self { words, at: 0, named }
    }

    fn peek(&self) -> &'a str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = self.peek().eq_ignore_ascii_case(word);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.takes(word) { Ok(()) } else { Err(format!("{word} is expected before {:?}", self.peek())) }
    }

    fn end(&self) -> Result<(), String> {
        if self.at >= self.words.len() { Ok(()) } else { Err(format!("{:?} is not understood", self.peek())) }
    }

    fn either(&mut self, item: Option<&Item>) -> Result<bool, String> {
        let mut holds = self.both(item)?;
        while self.takes("OR") {
            holds |= self.both(item)?;
        }
        Ok(holds)
    }

    fn both(&mut self, item: Option<&Item>) -> Result<bool, String> {
        let mut holds = self.one(item)?;
        while self.takes("AND") {
            holds &= self.one(item)?;
        }
        Ok(holds)
    }

    fn one(&mut self, item: Option<&Item>) -> Result<bool, String> {
        if self.takes("(") {
            let holds = self.either(item)?;
            self.expect(")")?;
            return Ok(holds);
        }
        for (function, wanted) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.takes(function) {
                self.expect("(")?;
                let word = self.next();
                let name = self.named.attribute(word)?;
                self.expect(")")?;
                return Ok(item.is_some_and(|item| item.contains_key(name)) == wanted);
            }
        }
        let word = self.next();
        let found = item.and_then(|item| self.named.attribute(word).ok().and_then(|name| item.get(name)));
        let (comparator, value) = (self.next(), self.next());
        let wanted = self.named.value(value)?;
        // What is not there equals nothing, is less than nothing, and differs from everything.
        let order = found.and_then(|found| compare(found, wanted));
        Ok(match comparator {
            "=" => order == Some(Ordering::Equal),
            "<>" => order != Some(Ordering::Equal),
            "<" => order == Some(Ordering::Less),
            "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            ">" => order == Some(Ordering::Greater),
            ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            other => return Err(format!("{other:?} compares nothing")),
        })
    }
}

/// Two values of one type in their order; none if they are of two, or of one that has no order and differ.
fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.get("S"), other.get("S")) {
        return Some(one.as_str()?.cmp(other.as_str()?));
    }
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return Some(one.cmp(&other));
    }
    (one == other).then_some(Ordering::Equal)
}

/// The store's numbers are whole.
fn number(value: &Value) -> Option<i128> {
    value.get("N")?.as_str()?.parse().ok()
}

/// Whether the condition holds for what stands there.
///
/// # Errors
/// Names what is not understood.
pub fn holds(condition: &str, named: Named<'_>, item: Option<&Item>) -> Result<bool, String> {
    let mut words = Words::of(condition, named);
    let holds = words.either(item)?;
    words.end().map(|()| holds)
}

/// Changes the item as the update says; the names of what was set.
///
/// # Errors
/// Names what is not understood.
pub fn update(expression: &str, named: Named<'_>, item: &mut Item) -> Result<Vec<String>, String> {
    let mut words = Words::of(expression, named);
    let mut changed = Vec::new();
    while words.at < words.words.len() {
        let clause = words.next().to_ascii_uppercase();
        loop {
            let word = words.next();
            let name = named.attribute(word)?.to_owned();
            match clause.as_str() {
                "SET" => {
                    words.expect("=")?;
                    let value = named.value(words.next())?;
                    item.insert(name.clone(), value.clone());
                    changed.push(name);
                }
                "ADD" => {
                    let by = number(named.value(words.next())?).ok_or("what is added is no number")?;
                    let sum = item.get(&name).and_then(number).unwrap_or_default() + by;
                    item.insert(name.clone(), json!({ "N": sum.to_string() }));
                    changed.push(name);
                }
                "REMOVE" => {
                    item.remove(&name);
                }
                other => return Err(format!("{other:?} is no clause")),
            }
            if !words.takes(",") {
                break;
            }
        }
    }
    Ok(changed)
}

/// The sort keys that a key condition asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sorts {
    /// All.
    All,
    /// Those that begin so.
    Begin(String),
    /// Those before it.
    Before(String),
    /// Those behind it.
    After(String),
    /// Those from the first to the last.
    Between(String, String),
}

impl Sorts {
    /// Whether this is one.
    #[must_use]
    pub fn take(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Begin(prefix) => key.starts_with(prefix),
            Self::Before(last) => key < last.as_str(),
            Self::After(first) => key > first.as_str(),
            Self::Between(first, last) => (first.as_str()..=last.as_str()).contains(&key),
        }
    }
}

/// The partition and the sort keys that a key condition asks for.
///
/// # Errors
/// Names what is not understood.
pub fn key(condition: &str, named: Named<'_>) -> Result<(String, Sorts), String> {
    let mut words = Words::of(condition, named);
    let text = |word: &str| {
        let text = named.value(word)?.get("S").and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("{word} is no text"))
    };
    words.expect("pk")?;
    words.expect("=")?;
    let partition = text(words.next())?;
    let sorts = if !words.takes("AND") {
        Sorts::All
    } else if words.takes("begins_with") {
        words.expect("(")?;
        words.expect("sk")?;
        words.expect(",")?;
        let prefix = text(words.next())?;
        words.expect(")")?;
        Sorts::Begin(prefix)
    } else {
        words.expect("sk")?;
        match words.next() {
            "<" => Sorts::Before(text(words.next())?),
            ">" => Sorts::After(text(words.next())?),
            "BETWEEN" => {
                let first = text(words.next())?;
                words.expect("AND")?;
                Sorts::Between(first, text(words.next())?)
            }
            other => return Err(format!("{other:?} compares no key")),
        }
    };
    words.end().map(|()| (partition, sorts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_as_dynamodb_says() {
        let item = json!({"pk": {"S": "a"}, "n": {"N": "10"}, "x": {"S": "b"}});
        let values = json!({":n": {"N": "9"}, ":ten": {"N": "10"}, ":x": {"S": "b"}});
        let named = Named { names: None, values: Some(&values) };
        for (condition, there, nothing) in [
            ("attribute_exists(pk)", true, false),
            ("attribute_not_exists(pk)", false, true),
            ("n = :ten AND x = :x", true, false),
            ("n > :n", true, false),
            ("n <> :n", true, true),
            ("n <> :ten", false, true),
            ("n < :n OR x = :x", true, false),
            ("n = :n AND (attribute_not_exists(s) OR x = :x)", false, false),
            ("(attribute_not_exists(s) OR s < :n) AND n <= :ten", true, false),
            ("x < :n", false, false),
        ] {
            assert_eq!(holds(condition, named, item.as_object()), Ok(there), "{condition}");
            assert_eq!(holds(condition, named, None), Ok(nothing), "{condition}");
        }
        for wrong in ["size(x) = :n", "n = :m", "n = :n XOR x = :x", "n IN (:n)", "(n = :n"] {
            assert!(holds(wrong, named, item.as_object()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn updates_set_add_and_remove() {
        let mut item = json!({"n": {"N": "10"}, "x": {"S": "b"}}).as_object().cloned().unwrap_or_default();
        let (values, names) = (json!({":one": {"N": "1"}, ":t": {"S": "t"}}), json!({"#t": "ttl"}));
        let named = Named { names: Some(&names), values: Some(&values) };
        let changed = update("SET #t = :t, y = :t ADD n :one, m :one REMOVE x, z", named, &mut item);
        assert_eq!(changed, Ok(["ttl", "y", "n", "m"].map(str::to_owned).to_vec()));
        let expected = json!({"n": {"N": "11"}, "m": {"N": "1"}, "ttl": {"S": "t"}, "y": {"S": "t"}});
        assert_eq!(Value::Object(item.clone()), expected);
        assert!(update("SET y = if_not_exists(y, :t)", named, &mut item).is_err());
        assert!(update("DELETE y :t", named, &mut item).is_err());
    }
}
