//! The dashboard and the alarms of the template: what they look at is there.

use std::collections::BTreeSet;

use functions::metrics::{DIMENSION, NAMESPACE};
use handlers::metrics::Metric;
use serde_json::Value as Json;
use serde_yaml_ng::Value;
use switchboard::TEMPLATE;

/// What a metric is looked for by: dimensions, by name, as references to what the template makes.
#[derive(Debug)]
struct Looked {
    namespace: String,
    name: String,
    dimensions: Vec<(String, String)>,
    at: String,
}

fn template() -> Value {
    serde_yaml_ng::from_str(TEMPLATE).unwrap()
}

fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = template["Resources"].as_mapping().unwrap().iter();
    let all = all.filter(|(_, resource)| resource["Type"] == kind);
    all.map(|(name, resource)| (name.as_str().unwrap(), &resource["Properties"])).collect()
}

/// `!Ref Table`, `!GetAtt Queue.QueueName` and `!Sub "${Table}"`, as they stand in a text of `!Sub`.
fn reference(value: &Value) -> String {
    match value {
        Value::Tagged(tagged) if tagged.tag == "Sub" => tagged.value.as_str().unwrap().to_owned(),
        Value::Tagged(tagged) => format!("${{{}}}", tagged.value.as_str().unwrap()),
        text => text.as_str().unwrap().to_owned(),
    }
}

fn of_an_alarm(name: &str, metric: &Value) -> Looked {
    let dimensions = metric["Dimensions"].as_sequence().into_iter().flatten();
    Looked {
        namespace: reference(&metric["Namespace"]),
        name: metric["MetricName"].as_str().unwrap().to_owned(),
        dimensions: dimensions
            .map(|one| (one["Name"].as_str().unwrap().to_owned(), reference(&one["Value"])))
            .collect(),
        at: name.to_owned(),
    }
}

fn of_alarms(template: &Value) -> Vec<Looked> {
    let alarms = of_type(template, "AWS::CloudWatch::Alarm").into_iter();
    let looked = alarms.flat_map(|(name, alarm)| {
        let many = alarm["Metrics"].as_sequence().into_iter().flatten();
        let many = many.map(|one| &one["MetricStat"]["Metric"]).filter(|one| one.is_mapping());
        let one = alarm.get("MetricName").is_some().then_some(alarm);
        one.into_iter().chain(many).map(|metric| of_an_alarm(name, metric)).collect::<Vec<_>>()
    });
    looked.collect()
}

fn dashboard(template: &Value) -> Json {
    let Value::Tagged(body) = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"] else {
        panic!("the dashboard refers to nothing")
    };
    serde_json::from_str(body.value.as_str().unwrap()).unwrap()
}

/// The metrics of the dashboard, and its expressions.
fn of_the_dashboard(dashboard: &Json) -> (Vec<Looked>, Vec<String>) {
    let (mut looked, mut expressions) = (Vec::new(), Vec::new());
    for widget in dashboard["widgets"].as_array().unwrap() {
        let properties = &widget["properties"];
        for metric in properties["metrics"].as_array().into_iter().flatten() {
            let parts = metric.as_array().unwrap();
            if let Some(expression) = parts[0].get("expression") {
                expressions.push(expression.as_str().unwrap().to_owned());
                continue;
            }
            let texts: Vec<String> = parts.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            let pairs = texts[2..].chunks_exact(2);
            assert!(pairs.remainder().is_empty(), "{metric}");
            looked.push(Looked {
                namespace: texts[0].clone(),
                name: texts[1].clone(),
                dimensions: pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
                at: properties["title"].as_str().unwrap().to_owned(),
            });
        }
    }
    (looked, expressions)
}

/// The type of what a dimension's value refers to; of a reference with the right attribute only.
fn kind_of(template: &Value, value: &str, attribute: Option<&str>) -> String {
    let inner = value.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    let inner = inner.unwrap_or_else(|| panic!("{value} refers to nothing"));
    let (name, of) = inner.split_once('.').map_or((inner, None), |(name, of)| (name, Some(of)));
    assert_eq!(of, attribute, "{value}");
    template["Resources"][name]["Type"].as_str().unwrap_or_else(|| panic!("there is no {name}")).to_owned()
}

/// The names that AWS gives to metrics of an API of its kind.
fn of_an_api(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::Serverless::HttpApi" => &["4xx", "5xx", "Count", "IntegrationLatency", "Latency"],
        "AWS::Serverless::WebSocketApi" => &[
            "ConnectCount",
            "MessageCount",
            "IntegrationError",
            "ClientError",
            "ExecutionError",
            "IntegrationLatency",
        ],
        other => panic!("{other} is no API"),
    }
}

/// Holds a metric of AWS against what the template makes, and against the names that AWS documents.
fn assert_is_of_aws(template: &Value, looked: &Looked) {
    let dimensions: Vec<(&str, &str)> =
        looked.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let known: &[&str] = match (looked.namespace.as_str(), dimensions.as_slice()) {
        ("AWS/Lambda", [("FunctionName", function)]) => {
            assert_eq!(kind_of(template, function, None), "AWS::Serverless::Function", "{looked:?}");
            &["IteratorAge", "Errors", "Throttles", "Invocations", "Duration"]
        }
        ("AWS/ApiGateway", [("ApiId", api)]) => of_an_api(&kind_of(template, api, None)),
        ("AWS/SQS", [("QueueName", queue)]) => {
            assert_eq!(kind_of(template, queue, Some("QueueName")), "AWS::SQS::Queue", "{looked:?}");
            &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]
        }
        ("AWS/DynamoDB", [("TableName", table), rest @ ..]) => {
            assert_eq!(kind_of(template, table, None), "AWS::DynamoDB::Table", "{looked:?}");
            match rest {
                [] => &[
                    "ConsumedReadCapacityUnits",
                    "ConsumedWriteCapacityUnits",
                    "ReadThrottleEvents",
                    "TransactionConflict",
                    "WriteThrottleEvents",
                ],
                [("Operation", "GetItem" | "PutItem" | "Query" | "TransactWriteItems")] => &["SystemErrors"],
                other => panic!("{other:?}"),
            }
        }
        ("AWS/SNS", [("TopicName", topic)]) => {
            assert_eq!(kind_of(template, topic, Some("TopicName")), "AWS::SNS::Topic", "{looked:?}");
            &["NumberOfMessagesPublished"]
        }
        ("AWS/Logs", [("LogGroupName", group)]) => {
            assert_eq!(kind_of(template, group, None), "AWS::Logs::LogGroup", "{looked:?}");
            &["IncomingBytes"]
        }
        other => panic!("{other:?}, in {looked:?}"),
    };
    assert!(known.contains(&looked.name.as_str()), "AWS has no such metric: {looked:?}");
}

#[test]
fn every_metric_that_is_looked_at_is_one_that_there_is() {
    let template = template();
    let (shown, expressions) = of_the_dashboard(&dashboard(&template));
    let ours: BTreeSet<&str> = Metric::ALL.map(Metric::name).into();
    let filtered: BTreeSet<(String, &str)> = of_type(&template, "AWS::Logs::MetricFilter")
        .into_iter()
        .flat_map(|(_, filter)| filter["MetricTransformations"].as_sequence().unwrap())
        .map(|made| (reference(&made["MetricNamespace"]), made["MetricName"].as_str().unwrap()))
        .collect();
    let (watched, mut seen) = (of_alarms(&template), BTreeSet::new());
    for looked in shown.iter().chain(&watched) {
        if looked.namespace.starts_with("AWS/") {
            assert_is_of_aws(&template, looked);
        } else if looked.namespace == NAMESPACE {
            assert!(ours.contains(looked.name.as_str()), "{}: nobody writes {}", looked.at, looked.name);
            let stack = (DIMENSION.to_owned(), "${AWS::StackName}".to_owned());
            assert_eq!(looked.dimensions, [stack], "{looked:?}");
            seen.insert(looked.name.as_str());
        } else {
            let name = (looked.namespace.clone(), looked.name.as_str());
            assert!(filtered.contains(&name) && looked.dimensions.is_empty(), "{looked:?}");
        }
    }
    assert_eq!(seen, ours, "what is written is shown");
    for expression in expressions {
        for name in expression.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0) {
            let there = name == "AWS::StackName" || template["Resources"].get(name).is_some();
            assert!(there, "{name} in {expression}");
        }
    }
}

#[test]
fn every_alarm_says_what_to_do_and_tells_whoever_is_to_be_told() {
    let template = template();
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
    for (name, alarm) in &alarms {
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}: where nothing happens all is well");
        let described = alarm["AlarmDescription"].as_str().unwrap();
        assert!((40..=1024).contains(&described.len()), "{name}: {described}");
        let Value::Tagged(actions) = &alarm["AlarmActions"] else { panic!("{name} tells nobody") };
        assert_eq!(actions.value[0], "HasAlarmTopic", "{name}");
        assert_eq!(reference(&actions.value[1][0]), "${AlarmTopicArn}", "{name}");
        let metrics = alarm["Metrics"].as_sequence().map_or(1, |all| all.len() - 1);
        assert!((1..=10).contains(&metrics), "{name}: CloudWatch takes ten");
        let text = serde_yaml_ng::to_string(alarm).unwrap();
        assert!(!text.contains("SEARCH("), "{name}: an alarm may not search");
    }
    let dashboard = dashboard(&template);
    let listed = dashboard["widgets"][0]["properties"]["alarms"].as_array().unwrap().iter();
    let listed: BTreeSet<&str> = listed.map(|arn| arn.as_str().unwrap()).collect();
    let arns: Vec<String> = alarms.iter().map(|(name, _)| format!("${{{name}.Arn}}")).collect();
    assert_eq!(listed, arns.iter().map(String::as_str).collect(), "the dashboard shows every alarm");
}

#[test]
fn what_costs_while_nothing_happens_is_made_where_it_is_asked_for() {
    let template = template();
    let always = ["ChunkDeadLettersAlarm", "StreamDeadLettersAlarm"];
    for (name, resource) in template["Resources"].as_mapping().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        let name = name.as_str().unwrap();
        let condition = match kind.split("::").nth(1).unwrap() {
            "CloudWatch" if !always.contains(&name) => "Monitored",
            "CloudFront" => "Distributed",
            _ => continue,
        };
        assert_eq!(resource["Condition"], condition, "{name}");
    }
    for parameter in ["Monitoring", "Distribution"] {
        assert_eq!(template["Parameters"][parameter]["Default"], "false");
    }
    // As the manual says: what all of it costs.
    assert_eq!(of_alarms(&template).len(), 22);
}

#[test]
fn every_call_is_traced_and_logs_are_not_kept_for_ever() {
    let template = template();
    assert_eq!(template["Globals"]["Function"]["Tracing"], "Active");
    let groups = of_type(&template, "AWS::Logs::LogGroup");
    assert!(groups.iter().all(|(_, group)| group["RetentionInDays"].is_u64()) && !groups.is_empty());
}

#[test]
fn every_api_lets_through_as_much_as_the_parameters_say() {
    let template = template();
    let apis =
        ["AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"].map(|kind| of_type(&template, kind));
    assert_eq!(apis.each_ref().map(Vec::len), [1, 4]);
    for (name, api) in apis.into_iter().flatten() {
        let settings = &api["DefaultRouteSettings"];
        assert_eq!(reference(&settings["ThrottlingRateLimit"]), "${RequestsPerSecond}", "{name}");
        assert_eq!(reference(&settings["ThrottlingBurstLimit"]), "${RequestsBurst}", "{name}");
    }
}

#[test]
fn lambda_lets_the_metrics_through() {
    let template = template();
    let logging = &template["Globals"]["Function"]["LoggingConfig"];
    assert_eq!(logging["LogFormat"], "JSON", "in text, a line would have its time before it");
    let level = logging["ApplicationLogLevel"].as_str().unwrap();
    assert!(["TRACE", "DEBUG", "INFO"].contains(&level), "the lines are of level INFO");
}
