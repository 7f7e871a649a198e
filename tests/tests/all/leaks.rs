//! What must not reach somebody, and what must not cost somebody a socket.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef},
        retry::RetryConfig,
    },
    error::BoxError,
};
use domain::{
    ConversationId, Dialect, Number, Seq, Timestamp, UserId,
    entry::{Arrival, Departure},
    message::Content,
};
use handlers::{
    auth::Caller,
    context::Context,
    delivery::{
        road::Road,
        stage::{Audience, Stage},
    },
    events::frames,
    invocation::{HttpCall, Invocation, Reply},
    operations::{create, membership, send},
};
use http::{Method, header::AUTHORIZATION};
use serde_json::{Value, json};
use store::{change::Change, connection::Connection, log::Span, read_mark::ReadMark};
use switchboard::{Options, Running, start};

async fn server() -> Running {
    start(Options::default()).await.unwrap()
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn caller(id: &str) -> Caller {
    Caller { user: Some(user(id)), powerful: false, server: false }
}

/// Calls an endpoint by its name as the application's server for a user, or as the user's own token does.
async fn call(
    cx: &Arc<Context>,
    name: &str,
    who: &str,
    id: &str,
    query: &[(&str, &str)],
    body: Value,
) -> (u16, Value) {
    let endpoint = handlers::endpoints().into_iter().find(|one| one.name == name).unwrap();
    let claims = handlers::auth::Claims { sub: who.into(), exp: i64::MAX, admin: false };
    let token = handlers::auth::mint(&cx.secrets.token_key, &claims).unwrap();
    let mut http = HttpCall { method: Method::POST, body: body.to_string().into(), ..HttpCall::default() };
    http.headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    http.parameters.insert("conversation_id".into(), id.into());
    http.query = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let Reply::Http(reply) = (endpoint.handler)(Arc::clone(cx), Invocation::Http(http)).await else {
        panic!()
    };
    (reply.status.as_u16(), serde_json::from_slice(&reply.body).unwrap_or_default())
}

async fn group(cx: &Context, kind: &str, members: &[&str]) -> (ConversationId, Number) {
    for one in members {
        cx.store.ensure_user(&user(one), cx.clock.now()).await.unwrap();
    }
    let new = create::NewConversation {
        id: None,
        title: Some("group".into()),
        description: None,
        visibility: dialects::channelize::conversation::kind_of(kind).unwrap(),
        members: members.iter().map(|one| user(one)).collect(),
        custom_type: None,
        image_url: None,
        config: domain::Object::new(),
        meta: domain::Object::new(),
        claimed_at: None,
    };
    let made = create::create(cx, &caller("ann"), Dialect::Channelize, new).await.unwrap();
    (made.id, made.number)
}

async fn say(cx: &Context, id: &ConversationId, text: &str) {
    let content = Content { text: Some(text.into()), ..Content::default() };
    let draft = send::Draft { content, ..send::Draft::default() };
    send::send(cx, &caller("ann"), Dialect::Channelize, id, vec![draft]).await.unwrap();
}

/// The frames that `bob`, who listens, is due when ann has read everything.
async fn frames_for_bob(running: &Running, number: Number, before: Seq) -> Vec<Vec<u8>> {
    // Nobody holds this connection: the fan-out forgets it when it posts to it.
    running.drained().await;
    let cx = &running.context;
    let bob = Connection {
        id: "c1".into(),
        user: user("bob"),
        dialect: Dialect::Events,
        since: domain::Timestamp::default(),
        arrays: false,
    };
    cx.store.put_connection(&bob, cx.clock.now()).await.unwrap();
    let seq = cx.store.tail(number).await.unwrap().unwrap().place.seq;
    let at = cx.clock.now();
    let before = Some(ReadMark { seq: before, at });
    let read = Change::Read { number, user: user("ann"), mark: ReadMark { seq, at }, before };
    let Audience::Here(stage) = Stage::set(cx, number, &[&read]).await.unwrap() else { return Vec::new() };
    let mut due = frames::frames(cx, &stage, &[&read]).await.unwrap();
    due.remove(&user("bob")).unwrap_or_default().into_iter().map(|frame| frame.to_vec()).collect()
}

#[tokio::test]
async fn a_public_conversation_shows_a_stranger_nothing_of_what_is_said_in_it() {
    let running = server().await;
    let cx = &running.context;
    let (id, _) = group(cx, "public", &["ann", "bob"]).await;
    say(cx, &id, "for members").await;
    let query = [("publicMode", "true"), ("include", "members")];
    let (status, list) = call(cx, "channelize-list-conversations", "eve", "", &query, json!({})).await;
    assert_eq!((status, &list[0]["title"]), (200, &json!("group")), "{list}");
    let shown = [&list[0]["lastMessage"], &list[0]["lastReadAt"], &list[0]["members"]];
    assert_eq!(shown, [&Value::Null, &json!({}), &json!([])]);
    let (_, list) = call(cx, "channelize-list-conversations", "bob", "", &query, json!({})).await;
    assert_eq!(list[0]["lastMessage"]["body"], "for members");
}

#[tokio::test]
async fn a_one_to_one_conversation_cannot_be_opened_to_others() {
    let running = server().await;
    let cx = &running.context;
    for one in ["ann", "bob"] {
        cx.store.ensure_user(&user(one), cx.clock.now()).await.unwrap();
    }
    let body = json!({"userId": "bob", "body": "between us"});
    let (status, sent) = call(cx, "channelize-send-message", "ann", "", &[], body).await;
    assert_eq!(status, 201, "{sent}");
    let id = sent["conversationId"].as_str().unwrap();
    let (status, body) =
        call(cx, "channelize-update-conversation", "bob", id, &[], json!({"type": "open"})).await;
    assert_eq!(status, 403, "{body}");
    let (status, _) = call(cx, "channelize-list-messages", "eve", id, &[], json!({})).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn who_was_removed_hears_of_no_later_read_mark() {
    let running = server().await;
    let cx = &running.context;
    let (id, number) = group(cx, "private", &["ann", "bob"]).await;
    say(cx, &id, "hello").await;
    assert!(!frames_for_bob(&running, number, Seq(1)).await.is_empty());
    membership::remove(cx, &caller("ann"), Dialect::Channelize, &id, &[user("bob")], Departure::Removed)
        .await
        .unwrap();
    assert_eq!(frames_for_bob(&running, number, Seq(1)).await, Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn what_was_read_at_once_is_told_in_frames_that_fit() {
    let running = server().await;
    let cx = &running.context;
    let (id, number) = group(cx, "private", &["ann", "bob"]).await;
    for _ in 0..4 {
        say(cx, &id, &"x".repeat(60_000)).await;
    }
    let frames = frames_for_bob(&running, number, Seq(1)).await;
    let updated: Vec<Value> = frames.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect();
    let told = updated.iter().filter_map(|frame| frame["data"]["messages"].as_array());
    assert_eq!(told.map(Vec::len).sum::<usize>(), 4);
    assert!(frames.iter().all(|frame| frame.len() <= 128 * 1024));
}

#[tokio::test]
async fn a_read_mark_that_comes_late_takes_nothing_back() {
    let running = server().await;
    let cx = &running.context;
    let (id, number) = group(cx, "private", &["ann", "bob"]).await;
    let mark = |seq, at| ReadMark { seq: Seq(seq), at: Timestamp::from_millis(at) };
    assert!(cx.store.mark_read(&id, number, &user("bob"), mark(12, 100)).await.unwrap());
    assert!(!cx.store.mark_read(&id, number, &user("bob"), mark(10, 101)).await.unwrap());
    let marks = cx.store.read_marks(number).await.unwrap();
    assert_eq!(marks, [(user("bob"), mark(12, 100))]);
}

#[tokio::test]
async fn settings_that_another_process_changed_hold_here_too() {
    let running = server().await;
    let cx = &running.context;
    let other = Arc::new(Context {
        attachments: handlers::attachments::Attachments::Nowhere,
        store: store::Store::new(running.items.clone(), running.table.as_str()),
        gateway: cx.gateway.clone(),
        road: Road::default(),
        secrets: cx.secrets.clone(),
        clock: cx.clock.clone(),
        allowed_origins: Vec::new(),
    });
    let (id, _) = group(cx, "open", &["ann", "bob"]).await;
    let bodies = async || {
        let (_, list) = call(&other, "channelize-list-messages", "bob", id.as_str(), &[], json!({})).await;
        let list = list.as_array().unwrap().clone();
        list.iter().filter_map(|one| one["body"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    say(cx, &id, "to all").await;
    assert_eq!(bodies().await, ["to all"]);
    let bob = [user("bob")];
    let (ann, dialect) = (caller("ann"), Dialect::Channelize);
    membership::remove(cx, &ann, dialect, &id, &bob, Departure::Removed).await.unwrap();
    let closed = json!({"type": "private", "title": "closed"});
    let (status, _) = call(cx, "channelize-update-conversation", "ann", id.as_str(), &[], closed).await;
    assert_eq!(status, 200);
    say(cx, &id, "without bob").await;
    membership::add(cx, &ann, dialect, &id, &bob, Arrival::Added).await.unwrap();
    assert_eq!(bodies().await, ["to all"]);
    let (_, shown) = call(&other, "channelize-get-conversation", "bob", id.as_str(), &[], json!({})).await;
    assert_eq!((&shown["type"], &shown["title"]), (&json!("private"), &json!("closed")));
}

/// Lets the first write of a log's entry through, and answers that the table throttles.
#[derive(Debug, Default)]
struct DoneAndThrottled {
    puts: AtomicUsize,
    is_first: AtomicBool,
}

impl Intercept for DoneAndThrottled {
    fn name(&self) -> &'static str {
        "DoneAndThrottled"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.request().headers().get("x-amz-target") == Some("DynamoDB_20120810.PutItem") {
            self.is_first.store(self.puts.fetch_add(1, SeqCst) == 0, SeqCst);
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_first.swap(false, SeqCst) {
            let response = context.response_mut();
            *response.status_mut() = 400.try_into()?;
            *response.body_mut() =
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#.into();
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_write_that_was_done_before_the_table_throttled_is_not_done_again() {
    let running = server().await;
    let cx = &running.context;
    let (id, number) = group(cx, "private", &["ann", "bob"]).await;
    let config = running.items.config().to_builder().interceptor(DoneAndThrottled::default());
    let config = config.retry_config(RetryConfig::disabled()).build();
    let throttled = Context {
        attachments: handlers::attachments::Attachments::Nowhere,
        store: store::Store::new(aws_sdk_dynamodb::Client::from_conf(config), running.table.as_str()),
        gateway: cx.gateway.clone(),
        road: Road::default(),
        secrets: cx.secrets.clone(),
        clock: cx.clock.clone(),
        allowed_origins: Vec::new(),
    };
    say(&throttled, &id, "once").await;
    let log = cx.store.entries(number, Span::After(Seq(1)), 10, true).await.unwrap();
    assert_eq!(log.entries.len(), 1);
}

#[tokio::test]
async fn a_login_that_is_too_long_to_be_one_is_refused_like_any_other() {
    let running = server().await;
    let body = json!({"authenticationType": 1, "email": "a".repeat(3_000), "password": "x"});
    let (status, body) = call(&running.context, "channelize-login", "ann", "", &[], body).await;
    assert_eq!(status, 401, "{body}");
}
