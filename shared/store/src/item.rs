//! Attributes of an item: written short, read with errors that name the attribute.

use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Item, keys::Key, of_json, schema};

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The value as a JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<AttributeValue, Error> {
    serde_json::to_string(value)
        .map(AttributeValue::S)
        .map_err(|error| Error::Internal(format!("JSON: {error}")))
}

/// An item of its key alone.
pub(crate) fn keyed(key: &Key) -> Item {
    let mut item = Item::new();
    item.insert(schema::PARTITION_KEY.into(), text(&key.pk));
    item.insert(schema::SORT_KEY.into(), text(&key.sk));
    item
}

pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, Error> {
    find_text(item, name).ok_or_else(|| broken(item, name))
}

pub(crate) fn find_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, Error> {
    find_number(item, name).ok_or_else(|| broken(item, name))
}

pub(crate) fn find_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|digits| digits.parse().ok())
}

pub(crate) fn get_json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, Error> {
    serde_json::from_str(get_text(item, name)?).map_err(|error| {
        Error::Internal(format!("attribute {name} of {}: {}", name_of(item), of_json(&error)))
    })
}

pub(crate) fn find_json<T: DeserializeOwned + Default>(item: &Item, name: &str) -> Result<T, Error> {
    if item.contains_key(name) { get_json(item, name) } else { Ok(T::default()) }
}

/// Whether the item's time to live is over: DynamoDB may take days to remove it.
pub(crate) fn is_over(item: &Item, now: Timestamp) -> bool {
    find_number::<i64>(item, schema::TTL).is_some_and(|ttl| ttl <= now.seconds())
}

fn broken(item: &Item, name: &str) -> Error {
    Error::Internal(format!("attribute {name} of {} is missing or of another type", name_of(item)))
}

fn name_of(item: &Item) -> String {
    let part = |name| find_text(item, name).unwrap_or("?");
    format!("{} {}", part(schema::PARTITION_KEY), part(schema::SORT_KEY))
}
