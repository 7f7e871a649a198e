//! `search`: which fields of which objects, in which order, and how many there are.

use std::cmp::Ordering;

use domain::Object;
use serde_json::{Value, json};

use super::{error::Refusal, fields::Fields};

/// The most results of one search.
const MOST: u64 = 100;
/// Results of a search that does not say how many: Elasticsearch's default.
const DEFAULT_SIZE: usize = 10;

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    fields: Vec<String>,
    filter: Vec<(String, String)>,
    size: usize,
    from: usize,
    sort_by: Vec<String>,
    descending: bool,
}

impl Search {
    /// Reads a search from a command's fields.
    ///
    /// # Errors
    /// [`Refusal::SyntaxError`], naming the field.
    pub fn parse(from: &mut Fields) -> Result<Self, Refusal> {
        let whole = |number: Option<u64>| number.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let wanted = from.texts("fields")?.unwrap_or_default();
        let mut filter = Fields::new(from.object("filter")?.unwrap_or_default());
        let names = filter.clone().unknown();
        let mut pairs = Vec::with_capacity(names.len());
        for name in names {
            let value = filter.text(&name).map_err(|_syntax| Refusal::SyntaxError("filter".into()))?;
            pairs.extend(value.map(|value| (name, value)));
        }
        let descending = match from.text("sort_order")?.as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Refusal::SyntaxError("sort_order".into())),
        };
        Ok(Self {
            fields: wanted,
            filter: pairs,
            size: whole(from.whole("size", MOST)?).unwrap_or(DEFAULT_SIZE),
            from: whole(from.whole("from", u64::MAX)?).unwrap_or(0),
            sort_by: from.texts("sort_by")?.unwrap_or_default(),
            descending,
        })
    }

    /// What the filter wants a field to be; none if it does not care.
    #[must_use]
    pub fn wanted(&self, field: &str) -> Option<&str> {
        self.filter.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// Whether objects must be looked into to know which of them are found, or in which order.
    #[must_use]
    pub fn looks_inside(&self) -> bool {
        !self.filter.is_empty() || !self.sort_by.is_empty()
    }

    /// Whether a field is to be shown.
    #[must_use]
    pub fn shows(&self, field: &str) -> bool {
        self.fields.iter().any(|one| one == field || one == "_all")
    }

    /// Takes what may be found, one after another.
    #[must_use]
    pub fn collect(&self) -> Found<'_> {
        Found { search: self, total: 0, kept: Vec::new() }
    }

    fn passes(&self, object: &Object) -> bool {
        let passes =
            |(name, wanted): &(String, String)| object.get(name).is_some_and(|value| is(value, wanted));
        self.filter.iter().all(passes)
    }

    /// The objects in the order asked for; those that compare equal keep theirs. What lacks a field comes last.
    fn sort(&self, objects: &mut [Object]) {
        for field in self.sort_by.iter().rev() {
            objects.sort_by(|one, other| match (one.get(field), other.get(field)) {
                (Some(one), Some(other)) => {
                    let order = compare(one, other);
                    if self.descending { order.reverse() } else { order }
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            });
        }
    }

    fn window(&self) -> usize {
        self.from.saturating_add(self.size)
    }

    /// The page asked for, of all that were found.
    pub fn page<T>(&self, found: Vec<T>) -> Vec<T> {
        found.into_iter().skip(self.from).take(self.size).collect()
    }

    /// The result: how many were found, and the page's objects with the fields asked for.
    #[must_use]
    pub fn result(&self, total: usize, page: Vec<Object>) -> Value {
        let project = |mut object: Object| {
            object.retain(|name, _| name == "_id" || self.shows(name));
            Value::Object(object)
        };
        json!({ "total": total, "data": page.into_iter().map(project).collect::<Vec<_>>() })
    }
}

/// What was found so far: counted all, kept only as far as the page may need it.
#[derive(Debug)]
pub struct Found<'a> {
    search: &'a Search,
    total: usize,
    kept: Vec<Object>,
}

impl Found<'_> {
    /// What is kept beyond the page before it is sorted and cut.
    const SLACK: usize = 1_000;

    /// Takes an object, if the filter lets it through.
    pub fn take(&mut self, object: Object) {
        if !self.search.passes(&object) {
            return;
        }
        self.total += 1;
        if self.search.sort_by.is_empty() {
            if self.total > self.search.from && self.kept.len() < self.search.size {
                self.kept.push(object);
            }
            return;
        }
        self.kept.push(object);
        let window = self.search.window();
        if self.kept.len() > window.saturating_mul(2).saturating_add(Self::SLACK) {
            self.search.sort(&mut self.kept);
            self.kept.truncate(window);
        }
    }

    /// How many were found, and the page's objects.
    #[must_use]
    pub fn page(mut self) -> (usize, Vec<Object>) {
        if self.search.sort_by.is_empty() {
            return (self.total, self.kept);
        }
        self.search.sort(&mut self.kept);
        (self.total, self.search.page(self.kept))
    }
}

/// Whether a field is what a filter wants; a list is if it has it.
fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(values) => values.iter().any(|value| is(value, wanted)),
        other => *other.to_string() == *wanted,
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => one.to_string().cmp(&other.to_string()),
    }
}

/// An object that may be found: its fields, with its id once more as `_id`.
#[must_use]
pub fn found(id: &str, mut fields: Object) -> Object {
    fields.insert("_id".into(), id.into());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(value: Value) -> Result<Search, Refusal> {
        let Value::Object(object) = value else { panic!("not an object") };
        Search::parse(&mut Fields::new(object))
    }

    fn people() -> Vec<Object> {
        let person = |(id, name): (&str, &str)| {
            let Value::Object(fields) = json!({ "name": name, "groups": [id, "all"] }) else { panic!() };
            found(id, fields)
        };
        [("1", "Zoe"), ("2", "Ana"), ("3", "Max")].into_iter().map(person).collect()
    }

    #[test]
    fn wrong_types_name_their_field() {
        for (data, field) in [
            (json!({"from": -1}), "from"),
            (json!({"size": 101}), "size"),
            (json!({"sort_order": "up"}), "sort_order"),
            (json!({"filter": "x"}), "filter"),
            (json!({"filter": {"name": {}}}), "filter"),
            (json!({"fields": {}}), "fields"),
        ] {
            assert_eq!(search(data), Err(Refusal::SyntaxError(field.into())));
        }
    }

    #[test]
    fn what_is_found_is_filtered_sorted_cut_and_shown() {
        let it = search(json!({
            "fields": "name", "filter": {"groups": "all"}, "sort_by": ["name"], "from": 1, "size": 1
        }));
        let it = it.unwrap();
        let page = |search: &Search| {
            let mut found = search.collect();
            people().into_iter().for_each(|person| found.take(person));
            found.page()
        };
        let (total, objects) = page(&it);
        assert_eq!(it.result(total, objects), json!({"total": 3, "data": [{"_id": "3", "name": "Max"}]}));
        let none = search(json!({"filter": {"groups": "2"}, "size": 0})).unwrap();
        assert_eq!(page(&none), (1, Vec::new()));
        let second = search(json!({"from": 1, "size": 1})).unwrap();
        assert_eq!(page(&second).1[0]["name"], "Ana");
    }
}
