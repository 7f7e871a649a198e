//! The marked sections of `template.yaml`: what is wrong in them, and how they should read.
//!
//! What is compared is the meaning (parsed YAML), so that spelling and comments are free; what is written is text,
//! so that they survive.

use std::collections::BTreeMap;

use domain::Dialect;
use handlers::endpoint::{Endpoint, Trigger};
use serde_yaml_ng::Value;

use super::render;

/// The dialects that have sockets.
fn sockets(endpoints: &[&Endpoint]) -> Vec<Dialect> {
    let has_socket = |dialect: &Dialect| {
        endpoints.iter().any(|endpoint| {
            endpoint.dialect == Some(*dialect) && matches!(endpoint.trigger, Trigger::Socket { .. })
        })
    };
    Dialect::ALL.into_iter().filter(has_socket).collect()
}

/// An entry that should stand in a section: its logical id, its text, and the places that must say what it says.
struct Entry {
    id: String,
    text: String,
    places: &'static [&'static [&'static str]],
}

const OF_A_FUNCTION: &[&[&str]] = &[
    &["Type"],
    &["Metadata"],
    &["Properties", "ReservedConcurrentExecutions"],
    &["Properties", "Policies"],
    &["Properties", "Events"],
];
const OF_A_SOCKET: &[&[&str]] =
    &[&["Type"], &["Metadata", "Dialect"], &["Properties", "StageName"], &["Properties", "Routes"]];
const ALL_OF_IT: &[&[&str]] = &[&[]];

/// The sections and what should stand in them.
fn wanted(endpoints: &[&Endpoint], template: &Value) -> Vec<(&'static str, Vec<Entry>)> {
    let dialects = sockets(endpoints);
    let entry = |id, text, places| Entry { id, text, places };
    let socket = |dialect: &Dialect| {
        let id = render::socket_id(*dialect);
        let stands = &template["Resources"][id.as_str()];
        let (path, selection) = render::socket_defaults(*dialect);
        let path = stands["Metadata"]["LocalPath"].as_str().unwrap_or(path);
        let selection = stands["Properties"]["RouteSelectionExpression"].as_str().unwrap_or(selection);
        entry(id, render::socket(*dialect, endpoints, path, selection), OF_A_SOCKET)
    };
    let function = |endpoint: &&Endpoint| {
        entry(render::logical_id(endpoint.name), render::function(endpoint, &dialects), OF_A_FUNCTION)
    };
    let management = |dialect: &Dialect| {
        entry(functions::environment::management_variable(*dialect), render::management(*dialect), ALL_OF_IT)
    };
    let url = |dialect: &Dialect| {
        entry(render::socket_id(*dialect).replace("Api", "Url"), render::socket_url(*dialect), ALL_OF_IT)
    };
    vec![
        ("management", dialects.iter().map(management).collect()),
        ("sockets", dialects.iter().map(socket).collect()),
        ("functions", endpoints.iter().map(function).collect()),
        ("socket urls", dialects.iter().map(url).collect()),
    ]
}

/// What is wrong in the template's sections.
pub(super) fn faults(template: &str, endpoints: &[&Endpoint]) -> Vec<String> {
    let parsed: Value = match serde_yaml_ng::from_str(template) {
        Ok(parsed) => parsed,
        Err(error) => return vec![format!("template.yaml: {error}")],
    };
    let mut faults = Vec::new();
    for (section, wanted) in wanted(endpoints, &parsed) {
        let Some((_, content, _)) = split(template, section) else {
            faults.push(format!("template.yaml has no section `# --- {section} ---`"));
            continue;
        };
        let stand = entries(content);
        for entry in &wanted {
            match stand.get(&entry.id) {
                None => faults.push(format!("template.yaml, {section}, lacks:\n{}", entry.text)),
                Some(text) => faults.extend(difference(entry, text).map(|at| {
                    format!("template.yaml, {}: its {at} should be as in:\n{}", entry.id, entry.text)
                })),
            }
        }
        for id in stand.keys().filter(|id| wanted.iter().all(|entry| entry.id != **id)) {
            faults.push(format!("template.yaml, {section}: {id} belongs to no endpoint"));
        }
    }
    for (id, resource) in parsed["Resources"].as_mapping().into_iter().flatten() {
        let id = id.as_str().unwrap_or_default();
        let ours = resource["Type"] == "AWS::Serverless::Function"
            || resource["Type"] == "AWS::Serverless::WebSocketApi";
        let marked = ["sockets", "functions"].into_iter().filter_map(|section| split(template, section));
        if ours && !marked.into_iter().any(|(_, content, _)| entries(content).contains_key(id)) {
            faults.push(format!("template.yaml: {id} stands outside its section"));
        }
    }
    faults
}

/// The template with its sections as they should be. What is right keeps its text.
pub(super) fn updated(template: &str, endpoints: &[&Endpoint]) -> String {
    let parsed: Value = serde_yaml_ng::from_str(template).expect("template.yaml is YAML");
    let mut updated = template.to_owned();
    for (section, wanted) in wanted(endpoints, &parsed) {
        let (before, content, after) = split(&updated, section).expect("the section is marked");
        let stand = entries(content);
        let separator = if matches!(section, "sockets" | "functions") { "\n" } else { "" };
        let texts: Vec<_> = wanted
            .into_iter()
            .map(|entry| match stand.get(&entry.id) {
                Some(text) if difference(&entry, text).is_none() => format!("{}\n", text.trim_end()),
                _ => entry.text,
            })
            .collect();
        updated = format!("{before}{}{after}", texts.join(separator));
    }
    updated
}

/// The first place where the text does not say what the entry says.
fn difference(entry: &Entry, text: &str) -> Option<String> {
    let parse = |text: &str| {
        serde_yaml_ng::from_str::<Value>(text).ok().map(|value| value[entry.id.as_str()].clone())
    };
    let (is, should_be) = (parse(text), parse(&entry.text));
    let at = |value: &Option<Value>, place: &[&str]| {
        value
            .clone()
            .map(|value| place.iter().fold(value, |value, key| value.get(*key).cloned().unwrap_or_default()))
    };
    entry.places.iter().find(|place| at(&is, place) != at(&should_be, place)).map(|place| match place {
        [] => "value".to_owned(),
        place => place.join("."),
    })
}

/// The template before a section's content, the content, and what comes after it.
fn split<'a>(template: &'a str, section: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = format!("# --- {section} ---\n");
    let end = format!("# --- end of {section} ---\n");
    let from = template.find(&begin)? + begin.len();
    let mark = from + template.get(from..)?.find(&end)?;
    // The end mark's own indentation stays with it.
    let to = template.get(..mark)?.rfind('\n')? + 1;
    Some((template.get(..from)?, template.get(from..to)?, template.get(to..)?))
}

/// A section's entries, by their key: each from its first line (or the comments above it) to the next one's.
fn entries(content: &str) -> BTreeMap<String, String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let outermost = content
        .lines()
        .filter(|line| !line.trim().is_empty() && !is_comment(line))
        .map(indent)
        .min()
        .unwrap_or_default();
    let mut entries = BTreeMap::new();
    let (mut key, mut text, mut pending) = (None, String::new(), String::new());
    for line in content.lines() {
        let outer = indent(line) == outermost && !line.trim().is_empty();
        if outer && is_comment(line) {
            pending += line;
            pending.push('\n');
            continue;
        }
        if outer && let Some((name, _)) = line.trim().split_once(':') {
            if let Some(key) = key.replace(name.to_owned()) {
                entries.insert(key, std::mem::take(&mut text));
            }
            text = std::mem::take(&mut pending);
        }
        text += line;
        text.push('\n');
    }
    if let Some(key) = key {
        entries.insert(key, text);
    }
    entries
}
