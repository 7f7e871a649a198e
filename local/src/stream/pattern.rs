//! Lambda's event filtering patterns, as far as a stream's filter uses them.
//!
//! A pattern is JSON of the record's shape whose leaves are lists of alternatives: exact values, `{"prefix": …}`,
//! `{"suffix": …}`, `{"exists": …}`, `{"anything-but": …}`, `{"numeric": [op, n, …]}`, `{"equals-ignore-case": …}`,
//! and `$or` beside the fields. Source: AWS Lambda's guide, *Filter rule syntax*.

use serde_json::{Map, Value};

/// A filter of a stream's records.
#[derive(Debug, Clone)]
pub struct Pattern(Map<String, Value>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what it does not understand: a rule that would be passed over silently would filter wrongly.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return Err("a pattern is a JSON object".to_owned());
        };
        check(&fields)?;
        Ok(Self(fields))
    }

    /// Whether an event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        fields_match(&self.0, Some(event))
    }
}

fn check(fields: &Map<String, Value>) -> Result<(), String> {
    for (name, rule) in fields {
        match rule {
            Value::Object(inner) => check(inner)?,
            Value::Array(alternatives) if name == "$or" => {
                for alternative in alternatives {
                    check(alternative.as_object().ok_or("`$or` lists objects")?)?;
                }
            }
            Value::Array(alternatives) if !alternatives.is_empty() => {
                for alternative in alternatives {
                    check_alternative(name, alternative)?;
                }
            }
            _ => return Err(format!("`{name}` is neither an object nor a list of alternatives")),
        }
    }
    Ok(())
}

fn check_alternative(name: &str, alternative: &Value) -> Result<(), String> {
    let Value::Object(rule) = alternative else { return Ok(()) };
    let known = ["prefix", "suffix", "exists", "anything-but", "numeric", "equals-ignore-case"];
    match rule.keys().next().map(String::as_str) {
        Some(key) if rule.len() == 1 && known.contains(&key) => Ok(()),
        _ => Err(format!("`{name}` has a rule that is not known: {alternative}")),
    }
}

fn fields_match(fields: &Map<String, Value>, event: Option<&Value>) -> bool {
    fields.iter().all(|(name, rule)| match rule {
        Value::Array(alternatives) if name == "$or" => alternatives
            .iter()
            .any(|alternative| alternative.as_object().is_some_and(|fields| fields_match(fields, event))),
        Value::Array(alternatives) => {
            let value = event.and_then(|event| event.get(name));
            alternatives.iter().any(|alternative| alternative_matches(alternative, value))
        }
        Value::Object(inner) => fields_match(inner, event.and_then(|event| event.get(name))),
        _ => false,
    })
}

fn alternative_matches(alternative: &Value, value: Option<&Value>) -> bool {
    let Some((rule, operand)) = alternative.as_object().and_then(|rule| rule.iter().next()) else {
        return match value {
            // A list in the event matches if one of its values does.
            Some(Value::Array(values)) => values.contains(alternative),
            value => value == Some(alternative),
        };
    };
    let text = value.and_then(Value::as_str);
    let both = || text.zip(operand.as_str());
    match rule.as_str() {
        // Only leaves exist: an object is never "there" for Lambda.
        "exists" => value.is_some_and(|value| !value.is_object()) == (operand == &Value::Bool(true)),
        "prefix" => both().is_some_and(|(text, prefix)| text.starts_with(prefix)),
        "suffix" => both().is_some_and(|(text, suffix)| text.ends_with(suffix)),
        "equals-ignore-case" => both().is_some_and(|(text, other)| text.eq_ignore_ascii_case(other)),
        "anything-but" => value.is_some_and(|value| match operand {
            Value::Array(excluded) => !excluded.contains(value),
            Value::Object(_) => !alternative_matches(operand, Some(value)),
            excluded => excluded != value,
        }),
        "numeric" => value.and_then(Value::as_f64).is_some_and(|number| numeric_matches(operand, number)),
        _ => false,
    }
}

fn numeric_matches(operand: &Value, number: f64) -> bool {
    let Some(terms) = operand.as_array() else { return false };
    terms.chunks(2).all(|term| {
        let [operator, bound] = term else { return false };
        let Some(bound) = bound.as_f64() else { return false };
        match operator.as_str() {
            Some("=") => (number - bound).abs() < f64::EPSILON,
            Some("<") => number < bound,
            Some("<=") => number <= bound,
            Some(">") => number > bound,
            Some(">=") => number >= bound,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_match_as_lambda_matches_them() {
        let event = json!({
            "eventName": "INSERT",
            "dynamodb": {"Keys": {"sk": {"S": "LOG#7"}}, "NewImage": {"n": {"N": "5"}, "kind": {"S": "message"}}},
            "size": 12, "tags": ["a", "b"],
        });
        for (pattern, matches) in [
            (json!({"eventName": ["INSERT", "MODIFY"]}), true),
            (json!({"eventName": ["REMOVE"]}), false),
            (json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "LOG#"}]}}}}), true),
            (json!({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "MEMBER#"}, {"suffix": "#7"}]}}}}), true),
            (json!({"dynamodb": {"NewImage": {"gone": {"S": [{"exists": false}]}}}}), true),
            (json!({"dynamodb": {"NewImage": {"kind": {"S": [{"exists": true}]}}}}), true),
            (json!({"dynamodb": {"OldImage": {"kind": {"S": [{"exists": true}]}}}}), false),
            (json!({"eventName": [{"anything-but": ["REMOVE"]}]}), true),
            (json!({"eventName": [{"anything-but": "INSERT"}]}), false),
            (json!({"eventName": [{"anything-but": {"prefix": "RE"}}]}), true),
            (json!({"size": [{"numeric": [">", 10, "<=", 12]}]}), true),
            (json!({"size": [{"numeric": [">", 12]}]}), false),
            (json!({"tags": ["b"]}), true),
            (json!({"$or": [{"eventName": ["REMOVE"]}, {"size": [12]}]}), true),
        ] {
            assert_eq!(Pattern::parse(&pattern.to_string()).unwrap().matches(&event), matches, "{pattern}");
        }
        assert!(Pattern::parse(r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#).is_err());
        assert!(Pattern::parse(r#"{"a":"b"}"#).is_err());
    }
}
