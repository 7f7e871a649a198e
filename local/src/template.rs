//! Reads `template.yaml`: which function answers which route, socket, stream and queue, and which topic is which.
//!
//! The template is the routing table also on one machine: a route that it does not name does not exist here.
//! Deliberately not a CloudFormation engine: intrinsic functions are understood only where a route needs one
//! (`!GetAtt Function.Arn`); conditions, parameters and everything that only AWS needs are passed over.

use std::{collections::BTreeMap, time::Duration};

use domain::Dialect;
use handlers::endpoint::Endpoint;
use serde_yaml_ng::Value;

use crate::{cors::Cors, selection::Expression, stream::pattern::Pattern, topic::queue::Limits};

/// What the runner serves.
#[derive(Debug, Default)]
pub struct Application {
    /// The routes of the HTTP API.
    pub routes: Vec<Route>,
    /// The WebSocket APIs.
    pub sockets: Vec<SocketApi>,
    /// What the HTTP API lets pages of other origins do.
    pub cors: Option<Cors>,
    /// The triggers of the table's stream.
    pub mappings: Vec<Mapping>,
    /// How long each function may take, by its endpoint's name.
    pub timeouts: BTreeMap<&'static str, Duration>,
    /// The topics, by logical id, and whether they are FIFO.
    pub topics: BTreeMap<String, bool>,
    /// The queues, by logical id.
    pub queues: BTreeMap<String, Limits>,
    /// What a topic is told goes to a queue.
    pub subscriptions: Vec<(String, String)>,
    /// The triggers of queues.
    pub queue_mappings: Vec<QueueMapping>,
    /// The topic that functions are told to send chunks to.
    pub chunks_topic: Option<String>,
    /// The topic that functions are told to announce entries to.
    pub events_topic: Option<String>,
}

/// A trigger of a queue.
#[derive(Debug, Clone)]
pub struct QueueMapping {
    /// What is called.
    pub endpoint: &'static Endpoint,
    /// The queue.
    pub queue: String,
    /// Messages per call.
    pub batch_size: usize,
    /// Whether a reply's failed ids are believed (`ReportBatchItemFailures`).
    pub partial: bool,
    /// Calls under way at the same time.
    pub concurrency: usize,
}

/// A route of the HTTP API.
#[derive(Debug)]
pub struct Route {
    /// The method in upper case; none for `ANY`.
    pub method: Option<String>,
    /// The path with its `{parameters}`.
    pub path: String,
    /// What answers.
    pub endpoint: &'static Endpoint,
}

/// A WebSocket API.
#[derive(Debug)]
pub struct SocketApi {
    /// Where it is served (`Metadata.LocalPath`).
    pub path: String,
    /// Whose connections it holds (`Metadata.Dialect`).
    pub dialect: Dialect,
    /// Selects a message's route.
    pub selection: Expression,
    /// By route key.
    pub routes: BTreeMap<String, &'static Endpoint>,
}

/// A trigger of the table's stream: Lambda's event source mapping.
#[derive(Debug)]
pub struct Mapping {
    /// What is called.
    pub endpoint: &'static Endpoint,
    /// Records per call.
    pub batch_size: usize,
    /// A record is delivered if any of them matches; none: all are delivered.
    pub filters: Vec<Pattern>,
    /// Calls after the first; none: without end, which is Lambda's default.
    pub maximum_retries: Option<u32>,
    /// Older records are given up, in seconds; none: never.
    pub maximum_age: Option<u64>,
    /// Whether a failed batch is cut in two.
    pub bisect: bool,
    /// Whether a reply's failed sequence numbers are believed (`ReportBatchItemFailures`).
    pub partial: bool,
}

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// A resource says something that the runner cannot serve.
    #[error("{resource}: {problem}")]
    Resource {
        /// The logical id.
        resource: String,
        /// What is wrong, in a sentence.
        problem: String,
    },
}

/// How long a function may take that does not say so.
const LAMBDAS_TIMEOUT: Duration = Duration::from_secs(3);

/// Reads a template against the list of all endpoints.
///
/// # Errors
/// Names the resource that cannot be served: a function whose binary is no endpoint, a socket without a path.
pub fn read(text: &str, endpoints: &[&'static Endpoint]) -> Result<Application, TemplateError> {
    let template: Value = serde_yaml_ng::from_str(text)?;
    let empty = serde_yaml_ng::Mapping::new();
    let resources = template.get("Resources").and_then(Value::as_mapping).unwrap_or(&empty);
    let mut application = Application::default();
    let mut functions = BTreeMap::new();
    let timeout =
        |value: &Value, path: &[&str]| at(value, path).and_then(Value::as_u64).map(Duration::from_secs);
    let usual = timeout(&template, &["Globals", "Function", "Timeout"]).unwrap_or(LAMBDAS_TIMEOUT);
    for (name, resource) in resources.iter().filter(|(_, resource)| is(resource, "AWS::Serverless::Function"))
    {
        let name = name.as_str().unwrap_or_default();
        let failed = |problem| TemplateError::Resource { resource: name.to_owned(), problem };
        let endpoint = endpoint_of(resource, endpoints).map_err(failed)?;
        functions.insert(name.to_owned(), endpoint);
        let own = timeout(resource, &["Properties", "Timeout"]).unwrap_or(usual);
        application.timeouts.insert(endpoint.name, own);
        let events = at(resource, &["Properties", "Events"]).and_then(Value::as_mapping);
        for event in events.into_iter().flat_map(serde_yaml_ng::Mapping::values) {
            let properties = event.get("Properties").unwrap_or(&Value::Null);
            match event.get("Type").and_then(Value::as_str) {
                Some("HttpApi") => application.routes.push(route(properties, endpoint).map_err(failed)?),
                Some("DynamoDB") => application.mappings.push(mapping(properties, endpoint).map_err(failed)?),
                Some("SQS") => {
                    application.queue_mappings.push(queue_mapping(properties, endpoint).map_err(failed)?);
                }
                _ => {}
            }
        }
    }
    for (name, resource) in
        resources.iter().filter(|(_, resource)| is(resource, "AWS::Serverless::WebSocketApi"))
    {
        let failed = |problem| TemplateError::Resource {
            resource: name.as_str().unwrap_or_default().to_owned(),
            problem,
        };
        application.sockets.push(socket(resource, &functions).map_err(failed)?);
    }
    for (name, resource) in resources.iter().filter(|(_, resource)| is(resource, "AWS::Serverless::HttpApi"))
    {
        let failed = |problem| TemplateError::Resource {
            resource: name.as_str().unwrap_or_default().to_owned(),
            problem,
        };
        let said = at(resource, &["Properties", "CorsConfiguration"]);
        application.cors = said.map(cors).transpose().map_err(failed)?;
    }
    exchange(&template, resources, &mut application);
    Ok(application)
}

/// The topics, the queues, and what connects them.
fn exchange(template: &Value, resources: &serde_yaml_ng::Mapping, application: &mut Application) {
    for (name, resource) in resources {
        let name = name.as_str().unwrap_or_default().to_owned();
        let property = |path: &[&str]| at(resource.get("Properties").unwrap_or(&Value::Null), path).cloned();
        match resource.get("Type").and_then(Value::as_str) {
            Some("AWS::SNS::Topic") => {
                let fifo = property(&["FifoTopic"]).and_then(|value| value.as_bool()) == Some(true);
                application.topics.insert(name, fifo);
            }
            Some("AWS::SQS::Queue") => {
                let number = |path: &[&str]| property(path).and_then(|value| value.as_u64());
                let visibility = number(&["VisibilityTimeout"]).unwrap_or(VISIBILITY_SECONDS);
                let receives = number(&["RedrivePolicy", "maxReceiveCount"]);
                let limits = Limits {
                    visibility: Duration::from_secs(visibility),
                    receives: receives.and_then(|most| u32::try_from(most).ok()),
                    length: None,
                };
                application.queues.insert(name, limits);
            }
            Some("AWS::SNS::Subscription") => {
                let named = |path: &[&str]| property(path).as_ref().and_then(resource_named);
                application.subscriptions.extend(named(&["TopicArn"]).zip(named(&["Endpoint"])));
            }
            _ => {}
        }
    }
    let told = |variable| {
        let path = ["Globals", "Function", "Environment", "Variables", variable];
        at(template, &path).and_then(resource_named)
    };
    application.chunks_topic = told("SWITCHBOARD_CHUNKS");
    application.events_topic = told("SWITCHBOARD_EVENTS");
}

/// SQS's default.
const VISIBILITY_SECONDS: u64 = 30;
/// Calls of one queue's function under way at the same time: on one machine a few are as fast as many.
const CALLS_AT_ONCE: usize = 4;

fn is(resource: &Value, kind: &str) -> bool {
    resource.get("Type").and_then(Value::as_str) == Some(kind)
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(*key))
}

fn text_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(value, path).and_then(Value::as_str)
}

fn endpoint_of(resource: &Value, endpoints: &[&'static Endpoint]) -> Result<&'static Endpoint, String> {
    let binary = text_at(resource, &["Metadata", "BuildProperties", "Binary"])
        .ok_or("the function has no Metadata.BuildProperties.Binary")?;
    let found = endpoints.iter().find(|endpoint| endpoint.name == binary);
    found.copied().ok_or_else(|| format!("its binary `{binary}` is no endpoint"))
}

/// The HTTP API's route for what no other takes, as API Gateway spells it.
pub(crate) const UNROUTED: &str = "$default";

fn route(properties: &Value, endpoint: &'static Endpoint) -> Result<Route, String> {
    if text_at(properties, &["Path"]).is_none() && text_at(properties, &["Method"]).is_none() {
        return Ok(Route { method: None, path: UNROUTED.to_owned(), endpoint });
    }
    let path = text_at(properties, &["Path"]).ok_or("an HttpApi event has no Path")?;
    let method = text_at(properties, &["Method"]).ok_or("an HttpApi event has no Method")?.to_uppercase();
    let method =
        (method != "ANY" && method != "*" && method != "X-AMAZON-APIGATEWAY-ANY-METHOD").then_some(method);
    Ok(Route { method, path: path.to_owned(), endpoint })
}

/// The origins are a parameter: here they are the flag `--origin`.
fn cors(said: &Value) -> Result<Cors, String> {
    let listed = |name: &str| -> Vec<String> {
        let all = said.get(name).and_then(Value::as_sequence).into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let seconds = said.get("MaxAge").and_then(Value::as_u64).unwrap_or_default();
    Cors::new(&listed("AllowMethods"), &listed("AllowHeaders"), seconds)
}

fn mapping(properties: &Value, endpoint: &'static Endpoint) -> Result<Mapping, String> {
    let number = |key| properties.get(key).and_then(Value::as_i64);
    let mut filters = Vec::new();
    let listed = at(properties, &["FilterCriteria", "Filters"]).and_then(Value::as_sequence);
    for filter in listed.into_iter().flatten() {
        let pattern = text_at(filter, &["Pattern"]).ok_or("a filter has no Pattern")?;
        filters.push(Pattern::parse(pattern).map_err(|problem| format!("the filter {pattern}: {problem}"))?);
    }
    Ok(Mapping {
        endpoint,
        // 100 is Lambda's default, 10,000 its maximum.
        batch_size: usize::try_from(number("BatchSize").unwrap_or(100)).unwrap_or(1).clamp(1, 10_000),
        filters,
        maximum_retries: number("MaximumRetryAttempts").and_then(|retries| u32::try_from(retries).ok()),
        maximum_age: number("MaximumRecordAgeInSeconds").and_then(|age| u64::try_from(age).ok()),
        bisect: properties.get("BisectBatchOnFunctionError").and_then(Value::as_bool) == Some(true),
        partial: reports_failures(properties),
    })
}

fn queue_mapping(properties: &Value, endpoint: &'static Endpoint) -> Result<QueueMapping, String> {
    let number = |path: &[&str]| at(properties, path).and_then(Value::as_u64);
    let size =
        |number: Option<u64>, usual: usize| number.and_then(|n| usize::try_from(n).ok()).unwrap_or(usual);
    Ok(QueueMapping {
        endpoint,
        queue: properties.get("Queue").and_then(resource_named).ok_or("an SQS event has no Queue")?,
        // 10 is Lambda's default, and its maximum for FIFO queues.
        batch_size: size(number(&["BatchSize"]), 10).clamp(1, 10),
        partial: reports_failures(properties),
        concurrency: size(number(&["ScalingConfig", "MaximumConcurrency"]), CALLS_AT_ONCE)
            .clamp(1, CALLS_AT_ONCE),
    })
}

fn reports_failures(properties: &Value) -> bool {
    let types = properties.get("FunctionResponseTypes").and_then(Value::as_sequence);
    types.is_some_and(|types| types.iter().any(|one| one.as_str() == Some("ReportBatchItemFailures")))
}

fn socket(resource: &Value, functions: &BTreeMap<String, &'static Endpoint>) -> Result<SocketApi, String> {
    let path =
        text_at(resource, &["Metadata", "LocalPath"]).ok_or("the WebSocketApi has no Metadata.LocalPath")?;
    let dialect =
        text_at(resource, &["Metadata", "Dialect"]).ok_or("the WebSocketApi has no Metadata.Dialect")?;
    let dialect = Dialect::from_name(dialect).ok_or_else(|| format!("there is no dialect `{dialect}`"))?;
    let expression = text_at(resource, &["Properties", "RouteSelectionExpression"]);
    let mut routes = BTreeMap::new();
    let listed = at(resource, &["Properties", "Routes"]).and_then(Value::as_mapping);
    for (key, route) in listed.into_iter().flatten() {
        let key = key.as_str().ok_or("a route's key is no text")?;
        let function = route.get("FunctionArn").and_then(resource_named);
        let function =
            function.ok_or_else(|| format!("the route {key} has no FunctionArn: !GetAtt Function.Arn"))?;
        let endpoint =
            functions.get(&function).ok_or_else(|| format!("the route {key}: no function {function}"))?;
        routes.insert(key.to_owned(), *endpoint);
    }
    Ok(SocketApi {
        path: path.to_owned(),
        dialect,
        selection: Expression::parse(expression.unwrap_or("$request.body.action"))?,
        routes,
    })
}

/// The resource that `!GetAtt F.Arn`, `!Ref F` or `Fn::GetAtt: [F, Arn]` names.
fn resource_named(value: &Value) -> Option<String> {
    let inner = match value {
        Value::Tagged(tagged) if tagged.tag == "GetAtt" || tagged.tag == "Ref" => &tagged.value,
        other => other.get("Fn::GetAtt").or_else(|| other.get("Ref"))?,
    };
    let name = match inner {
        Value::Sequence(parts) => parts.first().and_then(Value::as_str)?,
        other => other.as_str()?,
    };
    Some(name.trim_end_matches(".Arn").to_owned())
}

#[cfg(test)]
mod tests {
    use handlers::endpoint::{Reads, Trigger};

    use super::*;

    static ECHO: Endpoint = Endpoint {
        name: "toy-echo",
        dialect: None,
        trigger: Trigger::Stream(Reads::All),
        access: &[],
        handler: |_, _| Box::pin(async { handlers::invocation::Reply::Batch(Vec::new()) }),
    };

    const TEMPLATE: &str = r#"
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: toy-echo } }
    Properties:
      Environment: { Variables: { TABLE: !Ref Table, URL: !Sub "https://${Api}" } }
      Events:
        Get: { Type: HttpApi, Properties: { Path: "/a/{id}", Method: get } }
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            BatchSize: 7
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 3
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"LOG#"}]}}}}' }] }
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Metadata: { LocalPath: /ws, Dialect: channels }
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes: { $connect: { FunctionArn: !GetAtt Echo.Arn }, $default: { FunctionArn: !GetAtt [Echo, Arn] } }
"#;

    #[test]
    fn a_template_names_routes_sockets_and_triggers() {
        let application = read(TEMPLATE, &[&ECHO]).unwrap();
        assert_eq!(application.routes[0].method.as_deref(), Some("GET"));
        assert_eq!(application.sockets[0].routes.keys().collect::<Vec<_>>(), ["$connect", "$default"]);
        let mapping = &application.mappings[0];
        assert_eq!((mapping.batch_size, mapping.maximum_retries), (7, Some(3)));
        assert!(mapping.bisect && mapping.partial);
    }

    #[test]
    fn a_function_that_no_endpoint_implements_is_named() {
        let error = read(TEMPLATE, &[]).unwrap_err().to_string();
        assert_eq!(error, "Echo: its binary `toy-echo` is no endpoint");
    }
}
