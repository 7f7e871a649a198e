//! Functions in processes of their own, over the Lambda Runtime API: the same calls, and what goes wrong with
//! processes.
//!
//! The processes are this very test binary, run as a function by a script; with `SWITCHBOARD_TEST_LAMBDA=DIR` all
//! other tests run so too, on the project's own binaries.

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use handlers::{
    context::Context,
    endpoint::{Endpoint, Handling, Trigger},
    invocation::{HttpCall, HttpReply, Invocation, Reply},
};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use switchboard::{Options, StartError, start};

use crate::harness::{
    Server,
    http::{Client, client},
    within,
};

const TEMPLATE: &str = r#"
Globals: { Function: { Timeout: 20 } }
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-echo } }
    Properties:
      Events:
        Any: { Type: HttpApi, Properties: { Path: "/echo/{name}", Method: ANY } }
  Meet:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-meet } }
    Properties: { Events: { Get: { Type: HttpApi, Properties: { Path: "/meet/{count}", Method: GET } } } }
  Slow:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-slow } }
    Properties: { Timeout: 1, Events: { Get: { Type: HttpApi, Properties: { Path: "/slow", Method: GET } } } }
  Die:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-die } }
    Properties: { Events: { Get: { Type: HttpApi, Properties: { Path: "/die", Method: GET } } } }
"#;

static ECHO: Endpoint = toy("toy-echo", |_, call| Box::pin(async move { Reply::Http(echo(&http(call))) }));
static MEET: Endpoint = toy("toy-meet", meet);
static SLOW: Endpoint = toy("toy-slow", |cx, _| {
    Box::pin(async move {
        leave(&cx, "slow");
        std::future::pending().await
    })
});
static DIE: Endpoint = toy("toy-die", |_, _| Box::pin(async { std::process::exit(3) }));

const fn toy(name: &'static str, handler: fn(Arc<Context>, Invocation) -> Handling) -> Endpoint {
    let trigger = Trigger::Http { method: Method::GET, path: "/" };
    Endpoint { name, dialect: None, trigger, access: &[], handler }
}

fn all() -> Vec<&'static Endpoint> {
    vec![&ECHO, &MEET, &SLOW, &DIE]
}

fn http(call: Invocation) -> HttpCall {
    let Invocation::Http(call) = call else { panic!("{call:?}") };
    call
}

/// What the function was told, and a reply with everything that a reply can have.
fn echo(call: &HttpCall) -> HttpReply {
    // What a client of its own adds differs from one call to the next.
    let own = ["host", "content-length"];
    let headers: Vec<_> = call
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let told = json!({
        "method": call.method.as_str(), "path": call.path, "parameters": call.parameters, "query": call.query,
        "headers": headers.into_iter().collect::<BTreeSet<_>>(), "body": call.body.to_vec(), "from": call.source_ip,
    });
    let mut reply = HttpReply::json(StatusCode::IM_A_TEAPOT, told.to_string().into_bytes());
    if call.path.ends_with("/binary") {
        reply.body = vec![0, 255, 254].into();
    }
    for cookie in ["a=1; Path=/", "b=2"] {
        reply.headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    reply.with(header::ETAG, HeaderValue::from_static("\"x\""))
}

/// The folder that a test and its processes share: that of the attachments.
fn folder(cx: &Context) -> PathBuf {
    let handlers::attachments::Attachments::Folder(folder) = &cx.attachments else { panic!("no folder") };
    folder.clone()
}

/// Leaves a trace of this process.
fn leave(cx: &Context, kind: &str) {
    std::fs::create_dir_all(folder(cx)).unwrap();
    std::fs::write(folder(cx).join(format!("{kind}-{}", std::process::id())), "").unwrap();
}

fn traces(folder: &Path, kind: &str) -> BTreeSet<u32> {
    let Ok(files) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_prefix(&format!("{kind}-")).map(|id| id.parse().unwrap())).collect()
}

/// Answers, with its process's id, when as many processes are at it.
fn meet(cx: Arc<Context>, call: Invocation) -> Handling {
    Box::pin(async move {
        leave(&cx, "meet");
        let count: usize = http(call).parameters["count"].parse().unwrap();
        while traces(&folder(&cx), "meet").len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Reply::Http(HttpReply::json(StatusCode::OK, std::process::id().to_string().into_bytes()))
    })
}

#[test]
#[ignore = "the child process of the tests below"]
fn a_process_of_a_function() {
    let name = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap();
    let endpoint = all().into_iter().find(|endpoint| endpoint.name == name).unwrap();
    let _ended = functions::serve(endpoint);
}

/// Writes the programs of the functions into a folder.
fn programs(folder: &Path) {
    let this = std::env::current_exe().unwrap();
    for endpoint in all() {
        let script = format!(
            "#!/bin/sh\nexec '{}' --ignored --exact lambda::a_process_of_a_function --nocapture\n",
            this.display()
        );
        let path = folder.join(endpoint.name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A server of the toys, in processes of their own or in here.
async fn toys(folder: &Path, lambda: bool) -> Server {
    programs(folder);
    let change = |options: &mut Options| {
        options.template = Some(TEMPLATE.to_owned());
        options.endpoints = all();
        options.lambda = lambda.then(|| folder.to_owned());
        let files = folder.join("files");
        options.attachments = Some(handlers::attachments::Attachments::Folder(files));
    };
    Server::in_process_with(change).await
}

async fn get(server: &Server, client: &Client, path: &str) -> (u16, Value) {
    let url = format!("http://{}{path}", server.running.address).parse().unwrap();
    let (head, body) = within(path, client.get(url)).await.unwrap().into_parts();
    let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_function_is_told_the_same_here_and_there() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let here = toys(one.path(), false).await;
    let there = toys(other.path(), true).await;
    let client = client();
    let requests = [
        ("GET", "/echo/a%20b?x=1&x=2&y=a+b%26c&z", vec![("cookie", "a=1; b=2"), ("x-a", "1, 2")], vec![]),
        (
            "POST",
            "/echo/%C3%BC?=",
            vec![("content-type", "application/json")],
            b"{\"a\":\"\xc3\xbc\"}".to_vec(),
        ),
        ("PUT", "/echo/binary", vec![("x-b", "\u{e4}")], vec![0, 255, 1]),
        ("DELETE", "/echo/x", vec![], vec![]),
    ];
    for (method, path, headers, body) in requests {
        let mut answers = Vec::new();
        for server in [&here, &there] {
            let url = format!("http://{}{path}", server.running.address);
            let mut request = http::Request::builder().method(method).uri(url);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let request = request.body(http_body_util::Full::new(body.clone().into())).unwrap();
            let (head, body) = within(path, client.request(request)).await.unwrap().into_parts();
            let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            let mut headers: Vec<_> = head
                .headers
                .iter()
                .filter(|(name, _)| *name != header::DATE)
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            headers.sort();
            answers.push((head.status, headers, body));
        }
        let shown = String::from_utf8_lossy(&answers[1].2).into_owned();
        assert_eq!(answers[0], answers[1], "{method} {path}: {shown}");
        assert_eq!(answers[0].0, StatusCode::IM_A_TEAPOT, "{shown}");
    }
    here.end().await;
    there.end().await;
}

#[tokio::test]
async fn calls_at_once_have_processes_of_their_own_which_are_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = toys(folder.path(), true).await;
    let client = client();
    let met = futures_util::future::join_all((0..4).map(|_| get(&server, &client, "/meet/4"))).await;
    let processes: BTreeSet<u64> = met.iter().map(|(_, id)| id.as_u64().unwrap()).collect();
    assert_eq!(processes.len(), 4, "{met:?}");
    for _ in 0..4 {
        let (_, again) = get(&server, &client, "/meet/1").await;
        assert!(processes.contains(&again.as_u64().unwrap()), "{again} is none of {processes:?}");
    }
    server.end().await;
    // They end with the server.
    for process in processes {
        let gone = async {
            let path = format!("/proc/{process}/cmdline");
            // What has ended and was not looked at yet has no command line any more.
            while std::fs::read(&path).is_ok_and(|line| !line.is_empty()) {
                tokio::task::yield_now().await;
            }
        };
        within("a process's end", gone).await;
    }
}

#[tokio::test]
async fn a_process_that_is_too_slow_or_dies_fails_its_call_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = toys(folder.path(), true).await;
    let client = client();
    for round in 1..=2 {
        let failed = (500, json!({"message": "Internal Server Error"}));
        assert_eq!(get(&server, &client, "/slow").await, failed);
        assert_eq!(get(&server, &client, "/die").await, failed);
        let slow = traces(&folder.path().join("files"), "slow");
        assert_eq!(slow.len(), round, "each call had a process of its own: {slow:?}");
        for process in slow {
            let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            assert!(line.is_empty(), "{process} still runs");
        }
        assert_eq!(get(&server, &client, "/echo/x").await.0, 418);
    }
    server.end().await;
}

#[tokio::test]
async fn a_program_that_is_no_function_fails_its_calls() {
    let folder = tempfile::tempdir().unwrap();
    let server = toys(folder.path(), true).await;
    let script = folder.path().join("toy-echo");
    std::fs::write(&script, "#!/bin/sh\nexit 1\n").unwrap();
    assert_eq!(get(&server, &client(), "/echo/x").await.0, 500);
    std::fs::write(&script, "no program").unwrap();
    assert_eq!(get(&server, &client(), "/echo/x").await.0, 500);
    programs(folder.path());
    assert_eq!(get(&server, &client(), "/echo/x").await.0, 418);
    server.end().await;
}

#[tokio::test]
async fn a_function_without_a_binary_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        template: Some(TEMPLATE.to_owned()),
        endpoints: all(),
        lambda: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let error = start(options).await.err().unwrap();
    assert!(matches!(&error, StartError::Lambda(text) if text.contains("no function toy-")), "{error}");
}
