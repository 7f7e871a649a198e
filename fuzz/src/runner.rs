//! What the runner reads: expressions and patterns of a template, and the template itself.

use serde_json::Value;
use switchboard::{selection::Expression, stream::pattern::Pattern, template};

fn two_parts(data: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(data);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    (first.to_owned(), second.to_owned())
}

/// A route selection expression, a line, and a message.
pub fn route_selection(data: &[u8]) {
    let (expression, message) = two_parts(data);
    if let Ok(expression) = Expression::parse(&expression) {
        let _ = expression.select(&message);
    }
    let ours = Expression::parse("${request.body.class}${request.body.subclass}").expect("it is one");
    let _ = ours.select(&message);
}

/// A filter pattern, a line, and a record.
pub fn filter_pattern(data: &[u8]) {
    let (pattern, event) = two_parts(data);
    if let (Ok(pattern), Ok(event)) = (Pattern::parse(&pattern), serde_json::from_str::<Value>(&event)) {
        let _ = pattern.matches(&event);
    }
}

/// A template.
pub fn template(data: &[u8]) {
    let _ = template::read(&String::from_utf8_lossy(data), &handlers::endpoints());
}
