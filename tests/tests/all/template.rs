//! `handlers::endpoints()` against everything that is named after an endpoint: the entries of `template.yaml`,
//! the binaries, the samples, and the list of routes.
//!
//! A failure prints what is missing, ready to be pasted. `UPDATE_GOLDEN=1 cargo test -p tests template` writes it:
//! entries that are right are left as they stand (memory, timeout and comments are anybody's to change), wrong
//! ones are replaced, and what no endpoint is named after is removed. Samples are made once and never overwritten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use handlers::{
    delivery::chunk::Chunk,
    endpoint::{Endpoint, Trigger},
    invocation::{Invocation, SocketEvent},
};
use serde_yaml_ng::Value;

mod render;
mod replay;
mod sample;
mod sections;

const TEMPLATE: &str = "template.yaml";
const BINARIES: &str = "functions/src/bin";
const SAMPLES: &str = "events";
const ROUTES: &str = "tests/golden/routes.txt";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn write(path: &str, text: &str) {
    let path = root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Whole or not at all: the tests beside this one are reading.
    let half = path.with_extension("half");
    fs::write(&half, text).unwrap();
    fs::rename(half, path).unwrap();
}

/// Whether this run writes what is missing.
fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value != "0")
}

/// Fails with all faults, and says how to mend them.
fn assert_none(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{}\n\nUPDATE_GOLDEN=1 cargo test -p tests template writes what is missing.\n",
        faults.join("\n\n")
    );
}

#[test]
fn names_are_unique_and_begin_with_their_dialect() {
    let mut names = BTreeSet::new();
    let mut routes = BTreeSet::new();
    for endpoint in handlers::endpoints() {
        assert!(names.insert(endpoint.name), "two endpoints are named {}", endpoint.name);
        let route = (
            render::route(endpoint),
            matches!(endpoint.trigger, Trigger::Socket { .. }).then_some(endpoint.dialect),
        );
        assert!(routes.insert(route), "two endpoints answer {}", render::route(endpoint));
        if let Some(dialect) = endpoint.dialect {
            let rest = endpoint.name.strip_prefix(dialect.name()).and_then(|rest| rest.strip_prefix('-'));
            assert!(rest.is_some(), "{} does not begin with {}-", endpoint.name, dialect.name());
        }
        assert!(
            endpoint
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{} is not kebab case",
            endpoint.name
        );
    }
}

#[test]
fn every_endpoint_has_its_function_in_the_template() {
    let endpoints = handlers::endpoints();
    if updating() {
        write(TEMPLATE, &sections::updated(&read(TEMPLATE), &endpoints));
    }
    assert_none(&sections::faults(&read(TEMPLATE), &endpoints));
}

#[test]
fn a_sound_entry_keeps_its_own_settings_when_the_template_is_written() {
    let endpoints = handlers::endpoints();
    let template = sections::updated(&read(TEMPLATE), &endpoints);
    let Some(endpoint) = endpoints.iter().find(|endpoint| matches!(endpoint.trigger, Trigger::Http { .. }))
    else {
        return;
    };
    let entry = format!("  {}:\n", render::logical_id(endpoint.name));
    let (before, after) = template.split_once(&entry).unwrap();
    let tuned = format!(
        "{before}{entry}{}",
        after.replacen("    Properties:\n", "    Properties:\n      MemorySize: 1769\n", 1)
    );
    assert_eq!(sections::faults(&tuned, &endpoints), Vec::<String>::new());
    assert_eq!(sections::updated(&tuned, &endpoints), tuned);
    let wrong = tuned.replacen("Binary: ", "Binary: not-", 1);
    assert_eq!(sections::faults(&wrong, &endpoints).len(), 1);
    assert_ne!(sections::updated(&wrong, &endpoints), wrong);
}

#[test]
fn a_stack_stays_below_cloudformation_s_500_resources() {
    let template: Value = serde_yaml_ng::from_str(&read(TEMPLATE)).unwrap();
    // SAM makes three of a function with a route (function, role, permission), two of one without; and two of an
    // API (itself, its stage) besides three of each of a socket's routes (route, integration, permission).
    let resources: usize = template["Resources"]
        .as_mapping()
        .unwrap()
        .values()
        .map(|resource| match resource["Type"].as_str().unwrap() {
            "AWS::Serverless::Function" => 2 + usize::from(resource["Properties"]["Events"].is_mapping()),
            "AWS::Serverless::WebSocketApi" => {
                2 + 3 * resource["Properties"]["Routes"].as_mapping().unwrap().len()
            }
            "AWS::Serverless::HttpApi" => 2,
            _ => 1,
        })
        .sum();
    assert!(resources <= 500, "{resources} resources: split the stack");
}

#[test]
fn a_stack_stays_below_cloudformation_s_60_dynamic_references() {
    let template: Value = serde_yaml_ng::from_str(&read(TEMPLATE)).unwrap();
    let references = |value: &Value| serde_yaml_ng::to_string(value).unwrap().matches("{{resolve:").count();
    // SAM writes what stands in Globals into each function.
    let functions = references(&template["Globals"]) * handlers::endpoints().len();
    let all = functions + references(&template["Resources"]);
    assert!((1..=60).contains(&all), "{all} references: read a value once, and refer to that");
}

#[test]
fn the_table_is_the_one_that_the_store_knows() {
    use store::schema::{PARTITION_KEY, SORT_KEY, TTL};
    let template: Value = serde_yaml_ng::from_str(&read(TEMPLATE)).unwrap();
    let table = &template["Resources"]["Table"];
    assert_eq!(table["DeletionPolicy"], "Retain");
    let properties = &table["Properties"];
    let key = [(PARTITION_KEY, "HASH"), (SORT_KEY, "RANGE")];
    for (at, (name, kind)) in key.into_iter().enumerate() {
        assert_eq!(properties["KeySchema"][at]["AttributeName"], name);
        assert_eq!(properties["KeySchema"][at]["KeyType"], kind);
        assert_eq!(properties["AttributeDefinitions"][at]["AttributeName"], name);
        assert_eq!(properties["AttributeDefinitions"][at]["AttributeType"], "S");
    }
    assert_eq!(properties["StreamSpecification"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert_eq!(properties["TimeToLiveSpecification"]["AttributeName"], TTL);
    for index in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        assert!(properties.get(index).is_none(), "policies name the table alone, not its indexes");
    }
}

#[test]
fn every_variable_that_functions_need_is_set() {
    use functions::environment::{
        ALLOWED_ORIGINS, CHUNKS, COALESCE_MILLIS, EVENTS, LARGE_AUDIENCE, POSTS_PER_SECOND, SECRET, TABLE,
        TOKEN_KEY, WORKERS,
    };
    let template: Value = serde_yaml_ng::from_str(&read(TEMPLATE)).unwrap();
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    let of_the_road = [CHUNKS, EVENTS, LARGE_AUDIENCE, COALESCE_MILLIS, POSTS_PER_SECOND, WORKERS];
    let of_all = [TABLE, SECRET, TOKEN_KEY, ALLOWED_ORIGINS, functions::metrics::STACK];
    for name in of_all.into_iter().chain(of_the_road) {
        assert!(variables.get(name).is_some(), "Globals lack {name}");
    }
}

#[test]
fn every_endpoint_has_its_binary() {
    let endpoints = handlers::endpoints();
    if updating() {
        for stale in strangers(BINARIES, "rs", &endpoints) {
            fs::remove_file(root().join(stale)).unwrap();
        }
    }
    let mut faults: Vec<_> = strangers(BINARIES, "rs", &endpoints)
        .iter()
        .map(|path| format!("{path}: no endpoint is named so"))
        .collect();
    for endpoint in endpoints {
        let path = format!("{BINARIES}/{}.rs", endpoint.name);
        let binary = render::binary(endpoint);
        if updating() && read(&path) != binary {
            write(&path, &binary);
        }
        if read(&path) != binary {
            faults.push(format!("{path} should be:\n{binary}"));
        }
    }
    assert_none(&faults);
}

#[test]
fn every_endpoint_has_a_sample_of_its_own_kind() {
    let endpoints = handlers::endpoints();
    if updating() {
        for stale in strangers(SAMPLES, "json", &endpoints) {
            fs::remove_file(root().join(stale)).unwrap();
        }
    }
    let mut faults: Vec<_> = strangers(SAMPLES, "json", &endpoints)
        .iter()
        .map(|path| format!("{path}: no endpoint is named so"))
        .collect();
    for endpoint in endpoints {
        let path = format!("{SAMPLES}/{}.json", endpoint.name);
        if updating() && read(&path).is_empty() {
            write(&path, &sample::of(endpoint));
        }
        let text = read(&path);
        if text.is_empty() {
            faults.push(format!("{path} is missing; for a start:\n{}", sample::of(endpoint)));
        } else if let Err(fault) = fits(endpoint, &text) {
            faults.push(format!("{path}: {fault}"));
        }
    }
    assert_none(&faults);
}

#[test]
fn the_routes_are_the_recorded_ones() {
    let routes: String = handlers::endpoints().into_iter().map(render::golden_line).collect();
    if updating() {
        write(ROUTES, &routes);
    }
    let recorded = read(ROUTES);
    let is: BTreeSet<_> = routes.lines().collect();
    let was: BTreeSet<_> = recorded.lines().collect();
    let added = is.difference(&was).map(|line| format!("+ {line}"));
    let gone = was.difference(&is).map(|line| format!("- {line}"));
    let mut faults: Vec<_> = added.chain(gone).collect();
    if faults.is_empty() && routes != recorded {
        faults.push(format!("{ROUTES} is in another order"));
    }
    assert_none(&faults);
}

/// The files of a folder that no endpoint is named after.
fn strangers(folder: &str, extension: &str, endpoints: &[&'static Endpoint]) -> Vec<String> {
    let names: BTreeSet<_> =
        endpoints.iter().map(|endpoint| format!("{}.{extension}", endpoint.name)).collect();
    let Ok(files) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let files: BTreeSet<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files
        .difference(&names)
        .filter(|name| !name.starts_with('.') && !name.ends_with(".half"))
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

/// The sample is an invocation of this endpoint.
fn fits(endpoint: &Endpoint, sample: &str) -> Result<(), String> {
    let invocation =
        functions::event::invocation(&endpoint.trigger, sample).map_err(|error| error.to_string())?;
    match (&endpoint.trigger, invocation) {
        (Trigger::Http { method, path }, Invocation::Http(call)) => {
            if call.method != method {
                return Err(format!("its method is {}, not {method}", call.method));
            }
            let parameters =
                matched(path, &call.path).ok_or(format!("its path {} is not {path}", call.path))?;
            if parameters != call.parameters {
                return Err(format!(
                    "its pathParameters are {:?}, in the path {parameters:?}",
                    call.parameters
                ));
            }
        }
        (Trigger::Unrouted, Invocation::Http(_)) => {}
        (Trigger::Socket { route_key }, Invocation::Socket(call)) => {
            if call.route_key != *route_key {
                return Err(format!("its routeKey is {}, not {route_key}", call.route_key));
            }
            let fitting = match call.event {
                SocketEvent::Connect => *route_key == "$connect",
                SocketEvent::Disconnect { .. } => *route_key == "$disconnect",
                SocketEvent::Message(_) => !matches!(*route_key, "$connect" | "$disconnect"),
            };
            if !fitting {
                return Err(format!("its eventType does not fit {route_key}"));
            }
        }
        (Trigger::Queue, Invocation::Queue(messages)) => {
            for message in messages {
                let chunk = Chunk::parse(&message.body).map_err(|error| format!("{error:?}"))?;
                let (group, _) = chunk.parcel().map_err(|error| format!("{error:?}"))?.group.unwrap();
                if message.group != group {
                    return Err(format!("its group is {}, its chunk's {group}", message.group));
                }
            }
        }
        (Trigger::Stream(_), Invocation::Stream(records)) => {
            if records.is_empty() {
                return Err("it has no records".to_owned());
            }
            for record in records {
                let image = record.new_image.ok_or("a record has no NewImage")?;
                let change = store::change::of(&image, record.old_image.as_ref())
                    .map_err(|error| format!("{error:?}"))?;
                change.ok_or("a record is nothing to be announced")?;
            }
        }
        _ => return Err("it is of another trigger".to_owned()),
    }
    Ok(())
}

/// The path's parameters, decoded, if it is one of the route.
fn matched(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    let mut parameters = BTreeMap::new();
    loop {
        match (route.next(), path.next()) {
            (None, None) => return Some(parameters),
            (Some(expected), Some(segment)) => {
                match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) if !segment.is_empty() => {
                        let value = segment.replace("%20", " ");
                        parameters.insert(name.to_owned(), value);
                    }
                    _ if expected == segment => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}
