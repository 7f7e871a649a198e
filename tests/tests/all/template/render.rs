//! What stands in the tree for an endpoint, as text: its entry in the template, its binary, its line of routes.

use domain::Dialect;
use handlers::endpoint::{Action, Endpoint, Reads, Trigger};
use store::{
    keys::{LOG, READ, SIGNAL},
    schema::PARTITION_KEY,
};

/// `POST /v2/messages/send`, `$connect`, or `stream`.
pub(super) fn route(endpoint: &Endpoint) -> String {
    match &endpoint.trigger {
        Trigger::Http { method, path } => format!("{method} {path}"),
        Trigger::Unrouted => "unrouted".to_owned(),
        Trigger::Socket { route_key } => (*route_key).to_owned(),
        Trigger::Stream(Reads::All) => "stream".to_owned(),
        Trigger::Stream(Reads::Entries) => "stream, entries".to_owned(),
        Trigger::Queue => "queue".to_owned(),
    }
}

/// The endpoint's line in the list of routes.
pub(super) fn golden_line(endpoint: &Endpoint) -> String {
    format!("{}\t{}\t{}\n", endpoint.name, route(endpoint), actions(endpoint, "").join(" "))
}

/// `channelize-send-message` is `ChannelizeSendMessageFunction`.
pub(super) fn logical_id(name: &str) -> String {
    let mut id = String::new();
    for word in name.split('-') {
        let mut letters = word.chars();
        id.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        id.extend(letters);
    }
    id + "Function"
}

/// `EventsSocketApi`.
pub(super) fn socket_id(dialect: Dialect) -> String {
    logical_id(dialect.name()).replace("Function", "SocketApi")
}

/// `handlers::channelize::send_message::ENDPOINT`: an endpoint's name is its place.
fn static_path(endpoint: &Endpoint) -> String {
    let (folder, name) = match endpoint.dialect {
        Some(dialect) => {
            (dialect.name(), endpoint.name.trim_start_matches(dialect.name()).trim_start_matches('-'))
        }
        None if endpoint.trigger == Trigger::Unrouted => return "handlers::unrouted::ENDPOINT".to_owned(),
        None => ("delivery", endpoint.name),
    };
    format!("handlers::{folder}::{}::ENDPOINT", name.replace('-', "_"))
}

/// `functions/src/bin/<name>.rs`.
pub(super) fn binary(endpoint: &Endpoint) -> String {
    let title = match (&endpoint.trigger, endpoint.dialect) {
        (Trigger::Socket { .. }, Some(dialect)) => {
            format!("`{}` of the {} socket", route(endpoint), dialect.name())
        }
        (Trigger::Stream(_), _) => "the table's stream".to_owned(),
        (Trigger::Queue, _) => "the queue of chunks".to_owned(),
        _ => format!("`{}`", route(endpoint)),
    };
    format!(
        "//! {title}\n\nfn main() -> std::process::ExitCode {{\n    functions::serve(&{})\n}}\n",
        static_path(endpoint)
    )
}

/// The endpoint's actions that begin so, sorted and each once.
fn actions(endpoint: &Endpoint, prefix: &str) -> Vec<&'static str> {
    let mut actions: Vec<_> = endpoint.access.iter().map(|action| action.iam()).collect();
    actions.retain(|action| action.starts_with(prefix));
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// The endpoint's entry in the template. `sockets` are the dialects that have a WebSocket API.
pub(super) fn function(endpoint: &Endpoint, sockets: &[Dialect]) -> String {
    let mut entry = format!(
        "  {}:\n    Type: AWS::Serverless::Function\n    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties: {{Binary: {}}}\n",
        logical_id(endpoint.name),
        endpoint.name
    );
    let mut properties = String::new();
    if matches!(endpoint.trigger, Trigger::Stream(_) | Trigger::Queue) {
        properties += "      Timeout: 60\n";
    }
    if endpoint.name == handlers::channelstream::listen::ENDPOINT.name {
        properties += LONG_POLL;
    }
    properties += &policies(endpoint, sockets);
    properties += &match &endpoint.trigger {
        Trigger::Http { method, path } => format!(
            "      Events:\n        Call:\n          Type: HttpApi\n          Properties: {{ApiId: !Ref HttpApi, Method: {method}, Path: \"{path}\"}}\n"
        ),
        Trigger::Unrouted => {
            "      Events:\n        Call:\n          Type: HttpApi\n          Properties: {ApiId: !Ref HttpApi}\n".to_owned()
        }
        // The route stands in the WebSocket API.
        Trigger::Socket { .. } => String::new(),
        Trigger::Stream(reads) => stream_event(*reads),
        Trigger::Queue => QUEUE_EVENT.to_owned(),
    };
    if !properties.is_empty() {
        entry += "    Properties:\n";
        entry += &properties;
    }
    entry
}

fn policies(endpoint: &Endpoint, sockets: &[Dialect]) -> String {
    let mut statements = String::new();
    let mut statement = |actions: &[&str], resource: &str| {
        statements += &format!(
            "            - Effect: Allow\n              Action: [{}]\n              Resource: {resource}\n",
            actions.join(", ")
        );
    };
    let on_table = actions(endpoint, "dynamodb:");
    if !on_table.is_empty() {
        statement(&on_table, "!GetAtt Table.Arn");
    }
    if endpoint.access.contains(&Action::ManageConnections) {
        // A socket's own function manages its own API's connections, any other those of all.
        let reachable = sockets.iter().filter(|dialect| match endpoint.trigger {
            Trigger::Socket { .. } => Some(**dialect) == endpoint.dialect,
            _ => true,
        });
        let resources: String = reachable
            .map(|dialect| {
                format!(
                    "\n                - !Sub \"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/*/*/@connections/*\"",
                    socket_id(*dialect)
                )
            })
            .collect();
        statement(&[Action::ManageConnections.iam()], &resources);
    }
    let on_objects = actions(endpoint, "s3:");
    if !on_objects.is_empty() {
        statement(&on_objects, "!Sub \"${Attachments.Arn}/*\"");
    }
    for (action, topic) in [(Action::PublishChunks, "ChunkTopic"), (Action::PublishEvents, "EventTopic")] {
        if endpoint.access.contains(&action) {
            statement(&[action.iam()], &format!("!Ref {topic}"));
        }
    }
    let statements = statements.replace("Resource: \n", "Resource:\n");
    if statements.is_empty() {
        statements
    } else {
        format!("      Policies:\n        - Statement:\n{statements}")
    }
}

/// The stream's trigger, with the filter of what the store wants to be announced.
fn stream_event(reads: Reads) -> String {
    let kinds = [("\"INSERT\"", LOG), ("\"INSERT\",\"MODIFY\"", READ), ("\"INSERT\",\"MODIFY\"", SIGNAL)];
    let filters: String = kinds
        .into_iter()
        .filter(|(_, prefix)| reads == Reads::All || *prefix == LOG)
        .map(|(changes, prefix)| {
            format!(
                r#"                - Pattern: '{{"eventName":[{changes}],"dynamodb":{{"Keys":{{"{PARTITION_KEY}":{{"S":[{{"prefix":"{prefix}"}}]}}}}}}}}'
"#
            )
        })
        .collect();
    format!("{STREAM_EVENT}{filters}")
}

/// It waits for most of its time, and as many of them as there are clients at once: they must leave room for the others.
const LONG_POLL: &str = "      # It waits: CPU is not what it needs, and memory is paid by the second.
      MemorySize: 128
      ReservedConcurrentExecutions: !If [BoundPolls, !Ref LongPolls, !Ref AWS::NoValue]
";

const QUEUE_EVENT: &str = r#"      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt ChunkQueue.Arn
            BatchSize: 10
            FunctionResponseTypes: [ReportBatchItemFailures]
            # So many calls at once, so many shares of the posts of a second.
            ScalingConfig: {MaximumConcurrency: !Ref DeliverConcurrency}
"#;

const STREAM_EVENT: &str = r#"      Events:
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 100
            MaximumBatchingWindowInSeconds: 0
            # Order is promised per conversation only as long as one shard is read by one call at a time.
            ParallelizationFactor: 1
            # The defaults are endless: one bad record would hold up its shard for a day. An hour outlasts a
            # throttled account; what is older goes to the queue, and clients resume.
            MaximumRetryAttempts: 10
            MaximumRecordAgeInSeconds: 3600
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig:
              OnFailure: {Type: SQS, Destination: !GetAtt StreamDeadLetters.Arn}
            # Entries of logs, read marks, and signals. Nothing else that is written to the table wakes the function.
            FilterCriteria:
              Filters:
"#;

/// What a WebSocket API is first written with: where it is served locally, and what selects its routes. Both are
/// then the template's own.
pub(super) fn socket_defaults(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Channelize => ("/v2/socket", "$request.body.action"),
        Dialect::Channels => ("/realtime", "$request.body.action"),
        Dialect::Channelstream => ("/ws", "$request.body.type"),
        Dialect::Events => ("/api/v1/events", "$request.body.action"),
        Dialect::Nkchat => ("/nkchat", "${request.body.class}${request.body.subclass}"),
    }
}

/// A dialect's WebSocket API.
pub(super) fn socket(dialect: Dialect, endpoints: &[&Endpoint], path: &str, selection: &str) -> String {
    let routes: String = endpoints
        .iter()
        .filter(|endpoint| endpoint.dialect == Some(dialect))
        .filter_map(|endpoint| match endpoint.trigger {
            Trigger::Socket { route_key } => Some((route_key, logical_id(endpoint.name))),
            _ => None,
        })
        .map(|(key, id)| format!("        {key}: {{FunctionArn: !GetAtt {id}.Arn}}\n"))
        .collect();
    format!(
        "  {}:\n    Type: AWS::Serverless::WebSocketApi\n    Metadata: {{Dialect: {}, LocalPath: {path}}}\n    Properties:\n      StageName: live\n      RouteSelectionExpression: \"{selection}\"\n      DefaultRouteSettings: {{ThrottlingRateLimit: !Ref RequestsPerSecond, ThrottlingBurstLimit: !Ref RequestsBurst}}\n      Routes:\n{routes}",
        socket_id(dialect),
        dialect.name()
    )
}

/// The variable that tells the functions a dialect's management API.
pub(super) fn management(dialect: Dialect) -> String {
    format!(
        "        {}: !Sub \"https://${{{}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/live\"\n",
        functions::environment::management_variable(dialect),
        socket_id(dialect)
    )
}

/// The output that tells clients a dialect's socket.
pub(super) fn socket_url(dialect: Dialect) -> String {
    let id = socket_id(dialect);
    format!(
        "  {}Url:\n    Description: The socket of the {} dialect.\n    Value: !Sub \"wss://${{{id}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/live\"\n",
        id.replace("Api", ""),
        dialect.name()
    )
}
