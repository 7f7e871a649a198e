//! How few posts a batch takes, counted: batches are made by hand, nothing depends on time.

use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Error};

use super::{make_room, posts, template_without};
use crate::{
    channels::Realtime,
    channelstream,
    harness::{Server, within},
};

/// Messages of one batch: what 20 a second come to within the window of AWS's default, half a second.
const MESSAGES: usize = 10;

/// A server whose stream is read by nobody: batches are brought by hand.
async fn by_hand() -> Server {
    let template = template_without("  FanOutFunction:\n");
    Server::in_process_with(|options| {
        options.template = Some(template);
        // Fewer posts are wanted, and nobody is waited for.
        options.road.coalesce = std::time::Duration::from_millis(1);
    })
    .await
}

/// Writes messages, and brings them in one batch; how many posts that took.
async fn a_batch(server: &Server) -> usize {
    let number = server.number("room").await;
    let tail = server.running.context.store.tail(number).await.unwrap().unwrap().place.seq;
    for n in 0..MESSAGES {
        server.user("ann").send("room", &format!("message {n}")).await;
    }
    let mark = server.recorder.mark();
    server.deliver_after("room", tail.0).await;
    posts(server, mark, "fan-out")
}

async fn socket(server: &Server, path: &str, more: &str) -> Realtime {
    let url = format!("ws://{}{path}?token={}{more}", server.running.address, server.token("bob"));
    Realtime(within("a handshake", connect_async(url)).await.unwrap().0)
}

#[tokio::test]
async fn a_batch_takes_as_few_posts_as_its_dialect_allows() {
    let server = by_hand().await;
    make_room(&server, "private", &["ann", "bob"]).await;
    assert_eq!(a_batch(&server).await, 0, "nobody listens");
    let mut sockets = Vec::new();
    let mut before = 0;
    // Plain sockets of `channels` and `nkchat` get one event a frame, as their clients know it.
    for (dialect, expected) in [
        ("events", 2),
        ("channelstream", 1),
        ("channels", MESSAGES),
        ("channels in arrays", 1),
        ("nkchat", MESSAGES),
        ("nkchat in arrays", 1),
    ] {
        let (mut events, mut stream) = (None, None);
        match dialect {
            "events" => events = Some(server.listen("bob").await),
            "channelstream" => {
                let listener = channelstream::listen(&server, "bob", &["room"]).await;
                server.deliver_socket(&listener.id).await;
                stream = Some(listener);
            }
            "channels" | "channels in arrays" => {
                let more = if dialect == "channels" { "" } else { "&batch=1" };
                let mut socket = socket(&server, "/realtime", more).await;
                socket.say(json!({"action": "subscribe", "channels": ["channel:room"]})).await;
                socket.next().await;
                sockets.push((None, None, Some(socket)));
            }
            _ => {
                let more = if dialect == "nkchat" { "" } else { "&batch=1" };
                let mut socket = socket(&server, "/nkchat", more).await;
                let subscribe = json!({"class": "core", "subclass": "event", "cmd": "subscribe", "tid": 1,
                                       "data": {"class": "chat"}});
                socket.say(subscribe).await;
                while socket.next().await["tid"] != 1 {}
                sockets.push((None, None, Some(socket)));
            }
        }
        if events.is_some() || stream.is_some() {
            sockets.push((events, stream, None));
        }
        let all = a_batch(&server).await;
        assert_eq!(all - before, expected, "{dialect}");
        if expected < MESSAGES {
            assert!(expected * 4 <= MESSAGES, "the budget is a quarter of a post per event");
        }
        before = all;
    }
    server.end().await;
}

#[tokio::test]
async fn who_asks_for_arrays_hears_the_same_in_arrays() {
    let server = by_hand().await;
    make_room(&server, "private", &["ann", "bob"]).await;
    let (mut plain, mut packed) =
        (socket(&server, "/realtime", "&batch=0").await, socket(&server, "/realtime", "&batch=1").await);
    for socket in [&mut plain, &mut packed] {
        socket.say(json!({"action": "subscribe", "channels": ["channel:room"]})).await;
    }
    let subscribed = plain.next().await;
    assert_eq!(packed.next().await, json!([subscribed]), "an answer, too");
    a_batch(&server).await;
    let mut single = Vec::new();
    for _ in 0..MESSAGES {
        single.push(plain.next().await);
    }
    assert_eq!(packed.next().await, Value::Array(single));
    // What was missed comes in arrays as well.
    let position = json!({"channel:room": {"epoch": subscribed["data"]["positions"]["channel:room"]["epoch"], "seq": 1}});
    packed.say(json!({"action": "subscribe", "channels": ["channel:room"], "after": position})).await;
    let missed = packed.next().await;
    assert_eq!(missed.as_array().unwrap().len(), MESSAGES, "{missed}");
    assert_eq!(packed.next().await[0]["data"]["positions"]["channel:room"]["recovered"], true);
    server.end().await;
}

#[tokio::test]
async fn a_handshake_that_asks_for_no_such_arrays_is_refused() {
    let server = by_hand().await;
    server.make_users(&["bob"]).await;
    let token = server.token("bob");
    for (path, query, expected) in [
        ("/realtime", format!("?token={token}&batch=yes"), 400),
        ("/nkchat", format!("?token={token}&batch=2"), 400),
        // Nothing is kept of a socket before somebody logs in on it.
        ("/nkchat", "?batch=1".to_owned(), 400),
        ("/nkchat", "?batch=0".to_owned(), 101),
    ] {
        let url = format!("ws://{}{path}{query}", server.running.address);
        let status = match connect_async(url).await {
            Ok(_) => 101,
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(status, expected, "{path}{query}");
    }
    server.end().await;
}
