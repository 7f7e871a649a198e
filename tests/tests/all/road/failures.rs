//! What goes wrong on the road of a large audience: a chunk that nobody can read, a listener that does not read.

use domain::{ConversationId, Seq};
use handlers::{
    delivery::{
        chunk::{Carried, Chunk, List, Shard},
        deliver, division,
    },
    invocation::{Invocation, QueueMessage, Reply},
};
use serde_json::{Value, json};
use store::stretch::Stretch;
use switchboard::invoke::invoke;
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;

use super::{chunks::MEMBERS, make_room, posts, server, server_that_takes_no_chunks, texts};
use crate::{
    channelstream,
    harness::{PATIENCE, Server, within},
    nkchat::Client,
};

/// A chunk of `room`'s entries, as a message of the queue.
async fn message(server: &Server, id: &str, group: &str, entries: (u64, u64), at: usize) -> QueueMessage {
    let stretches = Stretch::between(&["dan".to_owned()]);
    let (from, to) = (Seq(entries.0), Seq(entries.1));
    let chunk = Chunk {
        number: server.number("room").await,
        generation: 1,
        round: entries.1,
        more: false,
        few_members: false,
        shard: Shard { list: List::Members, at, stretch: stretches[at].clone() },
        carried: vec![Carried::Entries(from, to)],
    };
    let body = chunk.parcel().unwrap().body;
    QueueMessage { id: id.to_owned(), group: group.to_owned(), body }
}

/// Serves a chunk as if the queue had brought it.
async fn serve(server: &Server, chunk: Chunk) {
    let (id, group, body) = ("a".to_owned(), "0".to_owned(), chunk.parcel().unwrap().body);
    let call = Invocation::Queue(vec![QueueMessage { id, group, body }]);
    let reply = invoke(&deliver::ENDPOINT, &server.running.context, call, PATIENCE).await.unwrap();
    assert!(matches!(&reply, Reply::Batch(failed) if failed.is_empty()), "{reply:?}");
}

#[tokio::test]
async fn a_chunk_that_cannot_be_read_holds_up_its_own_shard_alone() {
    let server = server(1_000).await;
    make_room(&server, "private", &MEMBERS).await;
    for n in 0..4 {
        server.user("ann").send("room", &n.to_string()).await;
    }
    let (mut bob, mut hal) = (server.listen("bob").await, server.listen("hal").await);
    let bad = |id: &str| QueueMessage { id: id.into(), group: "0".into(), body: "no chunk".into() };
    let messages = vec![
        message(&server, "a", "0", (2, 3), 0).await,
        bad("b"),
        message(&server, "c", "1", (2, 2), 1).await,
        message(&server, "d", "0", (4, 5), 0).await,
        message(&server, "e", "1", (3, 5), 1).await,
    ];
    let mark = server.recorder.mark();
    let call = Invocation::Queue(messages);
    let reply = invoke(&deliver::ENDPOINT, &server.running.context, call, PATIENCE).await.unwrap();
    let Reply::Batch(mut failed) = reply else { panic!("{reply:?}") };
    failed.sort();
    assert_eq!(failed, ["b", "d"], "and nothing overtakes it");
    assert_eq!(texts(&server.heard(&mut bob).await), ["0", "1"]);
    assert_eq!(texts(&server.heard(&mut hal).await), ["0", "1", "2", "3"]);
    assert_eq!(
        posts(&server, mark, "deliver"),
        4,
        "what came together is told together: messages, and the room"
    );
    server.end().await;
}

/// Of chunks that are sent again with another round some are known, and are delivered as what they were: so the shards of one
/// end have other rounds, and the last one that is told of it need not have the lowest.
#[tokio::test]
async fn what_ended_is_swept_when_every_shard_was_told_in_whichever_round() {
    let server = server_that_takes_no_chunks().await;
    make_room(&server, "private", &MEMBERS).await;
    let number = server.number("room").await;
    server.user("ann").delete("/channels/room").await.expect(204);
    server.settled().await;
    let (store, id) = (&server.running.context.store, ConversationId::trusted("room"));
    let division = store.division(&id).await.unwrap().unwrap();
    let end = store.tail(number).await.unwrap().unwrap().place.seq;
    let shards = division::shards(&division);
    assert!(shards.len() > 2, "{shards:?}");
    for (n, shard) in shards.into_iter().enumerate() {
        assert_eq!(store.members(&id, number).await.unwrap().len(), MEMBERS.len(), "{n} shards were told");
        let (generation, round) = (division.generation, division.rounds + n as u64);
        let carried = vec![Carried::Entries(end, end)];
        let (more, few_members) = (false, false);
        serve(&server, Chunk { number, generation, round, more, few_members, shard, carried }).await;
    }
    assert_eq!(store.members(&id, number).await.unwrap(), []);
    server.end().await;
}

/// A listener of Channelstream that never reads, with a small buffer.
async fn deaf(server: &Server, user: &str) -> impl Sized {
    let connected = channelstream::connect(server, user, &["room"], json!({})).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.running.address).await.unwrap();
    let id = connected["conn_id"].as_str().unwrap();
    client_async(format!("ws://{}/ws?conn_id={id}", server.running.address), stream).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deaf_listener_of_a_large_audience_is_parked_and_the_others_hear_everything() {
    // What the socket, the kernel and the buffer take before it is full, and more.
    const MESSAGES: usize = 120;
    let server = server(2).await;
    make_room(&server, "open", &["ann"]).await;
    let deaf = deaf(&server, "bob").await;
    let cat = channelstream::listen(&server, "cat", &["room"]).await;
    let text = "x".repeat(90_000);
    for n in 0..MESSAGES {
        server.user("ann").send("room", &format!("{n} {text}")).await;
    }
    let number = |event: &Value| -> Option<usize> {
        event["message"]["text"].as_str()?.split(' ').next()?.parse().ok()
    };
    let told = |frames: &[Value]| -> Vec<usize> {
        frames.iter().flat_map(|frame| frame.as_array().unwrap()).filter_map(number).collect()
    };
    let all = cat.socket.wait_until("every message", |heard| told(&heard.frames).len() >= MESSAGES).await;
    assert_eq!(told(&all.frames), (0..MESSAGES).collect::<Vec<_>>(), "in order, each once");
    let closed = async {
        while server.running.connections.count() > 1 {
            tokio::task::yield_now().await;
        }
    };
    within("closing the deaf listener's socket", closed).await;
    let closes = server.recorder.since(0, "deliver");
    let closes = closes.iter().filter(|one| one.name == "DeleteConnection").count();
    assert_eq!(closes, 1, "parked once, by who serves its shard");
    drop(deaf);
    server.end().await;
}

/// Of those who hear of all open conversations each is served in one shard, whether this one is open or not: where it is
/// opened nobody moves to another shard, in which what comes after could overtake what came before.
#[tokio::test]
async fn a_conversation_that_is_opened_moves_nobody_to_another_shard() {
    let server = server_that_takes_no_chunks().await;
    make_room(&server, "private", &MEMBERS).await;
    let mut eve = Client::login(&server, "eve", false).await;
    eve.subscribe(json!({"class": "chat"})).await;
    server.settled().await;
    let (ann, number) = (server.user("ann"), server.number("room").await);
    ann.send("room", "among us").await;
    let (store, id) = (&server.running.context.store, ConversationId::trusted("room"));
    let first = store.tail(number).await.unwrap().unwrap().place.seq;
    ann.ask("PATCH", "/channels/room", Some(json!({"visibility": "open"}))).await.expect(200);
    ann.send("room", "to all").await;
    let last = store.tail(number).await.unwrap().unwrap().place.seq;
    server.settled().await;
    let division = store.division(&id).await.unwrap().unwrap();
    for list in [List::Members, List::Subscribers] {
        for shard in division::shards(&division).into_iter().filter(|shard| shard.list == list) {
            let (generation, round, carried) = (division.generation, 1, vec![Carried::Entries(first, last)]);
            let (more, few_members) = (false, false);
            serve(&server, Chunk { number, generation, round, more, few_members, shard, carried }).await;
        }
        let mut heard = eve.events(&server).await;
        heard.retain(|event| !event.is_null());
        let due = if list == List::Members { 0 } else { 2 };
        assert_eq!(heard.len(), due, "{list:?}: {heard:#?}");
    }
    server.end().await;
}
