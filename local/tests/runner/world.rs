//! Toy functions, and the world of one test that they tell what they saw.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use domain::Dialect;
use handlers::{
    context::{Context, Secrets},
    endpoint::{Endpoint, Handling, Reads, Trigger},
    gateway::PostError,
    invocation::{HttpReply, Invocation, Reply, SocketCall, SocketEvent, StreamChange, string_attribute},
};
use http::{HeaderValue, StatusCode, header};
use switchboard::{Options, Running, dynamodb::Storage, start};
use tokio::sync::watch;

/// What a test's functions saw and how they are to behave. Found by the server secret, which no two tests share.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// What happened on sockets: `connect`, `message …`, `disconnect 1000 reason`.
    pub(crate) socket: watch::Sender<Vec<String>>,
    /// Each batch's keys, as the stream's function was called with them.
    pub(crate) batches: watch::Sender<Vec<Vec<String>>>,
    /// Keys whose records fail: by their sequence number.
    pub(crate) failing: Mutex<BTreeSet<String>>,
    /// Keys whose batch panics.
    pub(crate) poison: Mutex<BTreeSet<String>>,
    /// The table, for the function that writes to it. It holds the database open.
    pub(crate) items: OnceLock<(aws_sdk_dynamodb::Client, String)>,
}

static WORLDS: Mutex<BTreeMap<String, Arc<World>>> = Mutex::new(BTreeMap::new());

pub(crate) fn world(name: &str) -> Arc<World> {
    Arc::clone(WORLDS.lock().unwrap().entry(name.to_owned()).or_default())
}

impl World {
    /// Waits until the socket's log holds an entry that starts so; says it.
    pub(crate) async fn saw(&self, start: &str) -> String {
        let mut socket = self.socket.subscribe();
        let seen = socket.wait_for(|log| log.iter().any(|entry| entry.starts_with(start)));
        let log = tokio::time::timeout(Duration::from_secs(10), seen).await.expect(start).unwrap();
        log.iter().find(|entry| entry.starts_with(start)).unwrap().clone()
    }

    /// All keys that were delivered, in order.
    pub(crate) fn delivered(&self) -> Vec<String> {
        self.batches.borrow().concat()
    }

    fn log(&self, entry: impl Into<String>) {
        self.socket.send_modify(|log| log.push(entry.into()));
    }
}

pub(crate) const TEMPLATE: &str = r#"
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-echo } }
    Properties:
      Events:
        Get: { Type: HttpApi, Properties: { Path: "/echo/{id}", Method: GET } }
        Post: { Type: HttpApi, Properties: { Path: "/echo", Method: POST } }
        Write: { Type: HttpApi, Properties: { Path: "/write", Method: POST } }
        Panic: { Type: HttpApi, Properties: { Path: "/panic", Method: GET } }
  Socket:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-socket } }
  Stream:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-stream } }
    Properties:
      Events:
        Log:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            BatchSize: 4
            MaximumRetryAttempts: 2
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"LOG#"}]}}}}' }] }
  Pages:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: { AllowOrigins: !Ref Origins, AllowMethods: [GET, POST], AllowHeaders: ["*", authorization], MaxAge: 7 }
  Api:
    Type: AWS::Serverless::WebSocketApi
    Metadata: { LocalPath: /ws, Dialect: channels }
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes:
        $connect: { FunctionArn: !GetAtt Socket.Arn }
        $disconnect: { FunctionArn: !GetAtt Socket.Arn }
        $default: { FunctionArn: !GetAtt Socket.Arn }
        shout: { FunctionArn: !GetAtt Socket.Arn }
  Bare:
    Type: AWS::Serverless::WebSocketApi
    Metadata: { LocalPath: /bare, Dialect: events }
    Properties: { Routes: {} }
"#;

static ECHO: Endpoint = toy("toy-echo", echo);
static SOCKET: Endpoint = toy("toy-socket", socket);
static STREAM: Endpoint = toy("toy-stream", stream);

const fn toy(name: &'static str, handler: fn(Arc<Context>, Invocation) -> Handling) -> Endpoint {
    Endpoint { name, dialect: None, trigger: Trigger::Stream(Reads::All), access: &[], handler }
}

pub(crate) fn options(name: &str) -> Options {
    Options {
        template: Some(TEMPLATE.to_owned()),
        endpoints: vec![&ECHO, &SOCKET, &STREAM],
        post_through_sdk: true,
        secrets: Secrets { server: name.to_owned(), token_key: "key".to_owned(), issuer: None },
        storage: storage(name),
        ..Options::default()
    }
}

/// In memory, or in DynamoDB Local if there is one to be used.
fn storage(name: &str) -> Storage {
    match std::env::var("DYNAMODB_LOCAL_URL") {
        Ok(url) => Storage::Remote { url, table: format!("runner-{name}"), state: None },
        Err(_) => Storage::Memory,
    }
}

pub(crate) async fn started(options: Options) -> (Running, Arc<World>) {
    let world = world(&options.secrets.server);
    (start(options).await.unwrap(), world)
}

fn echo(context: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Http(call) = invocation else { return Reply::Batch(Vec::new()) };
        assert_ne!(call.path, "/panic", "as asked");
        if call.path == "/write" {
            let (items, table) = world(&context.secrets.server).items.get().unwrap().clone();
            let key = |name: &str| aws_sdk_dynamodb::types::AttributeValue::S(name.to_owned());
            items
                .put_item()
                .table_name(table)
                .item("pk", key("A"))
                .item("sk", key("B"))
                .send()
                .await
                .unwrap();
        }
        let told = serde_json::json!({
            "parameters": call.parameters, "query": call.query, "size": call.body.len(), "ip": call.source_ip,
        });
        Reply::Http(HttpReply::json(StatusCode::OK, told.to_string().into_bytes()))
    })
}

async fn post(context: &Context, id: &str, text: &str) -> Result<(), &'static str> {
    let frame = bytes::Bytes::copy_from_slice(text.as_bytes());
    context.gateway.post(Dialect::Channels, id, frame).await.map_err(|error| match error {
        PostError::Gone => "gone",
        PostError::Throttled => "full",
        PostError::Later => "later",
        PostError::Refused => "other",
    })
}

fn socket(context: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else { return Reply::Batch(Vec::new()) };
        let world = world(&context.secrets.server);
        match &call.event {
            SocketEvent::Connect => return Reply::Http(connect(&context, &world, call).await),
            SocketEvent::Message(text) if text == "panic" => panic!("as asked"),
            SocketEvent::Message(text) if call.route_key == "shout" => {
                let _ = post(&context, &call.connection_id, &text.to_uppercase()).await;
            }
            SocketEvent::Message(text) => {
                let _ = post(&context, &call.connection_id, text).await;
            }
            SocketEvent::Disconnect { code, reason } => {
                let posted = post(&context, &call.connection_id, "late").await;
                world.log(format!("disconnect {code} {reason}|{posted:?}"));
            }
        }
        Reply::Http(HttpReply::empty(StatusCode::OK))
    })
}

async fn connect(context: &Arc<Context>, world: &Arc<World>, call: SocketCall) -> HttpReply {
    let asked = |name: &str| call.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if let Some(status) = asked("refuse") {
        return HttpReply::empty(status.parse().unwrap());
    }
    assert!(asked("panic").is_none(), "as asked");
    let early = post(context, &call.connection_id, "too early").await;
    world.log(format!("connect {}|{early:?}", call.connection_id));
    if asked("greet").is_some() {
        // As the fan-out may do it: as soon as the connection takes a post, which is before the 101 is out.
        let (context, id) = (Arc::clone(context), call.connection_id.clone());
        tokio::spawn(async move { while post(&context, &id, "welcome").await.is_err() {} });
    }
    let reply = HttpReply::empty(StatusCode::OK);
    match call.headers.get(header::SEC_WEBSOCKET_PROTOCOL) {
        Some(_) => reply.with(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("bearer")),
        None => reply,
    }
}

fn stream(context: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Stream(records) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::OK));
        };
        let world = world(&context.secrets.server);
        let key = |record: &handlers::invocation::StreamRecord| {
            let removed = if record.change == StreamChange::Remove { "-" } else { "" };
            format!("{removed}{}", string_attribute(&record.keys, "sk").unwrap())
        };
        world.batches.send_modify(|batches| batches.push(records.iter().map(key).collect()));
        let poison = world.poison.lock().unwrap().clone();
        assert!(!records.iter().any(|record| poison.contains(&key(record))), "as asked");
        let failing = world.failing.lock().unwrap().clone();
        let failed = records.iter().filter(|record| failing.contains(&key(record)));
        Reply::Batch(failed.map(|record| record.sequence_number.clone()).collect())
    })
}
