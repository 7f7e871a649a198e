//! What a process remembers of a log's end is the log's end, whatever happened to it since by another process.

use domain::{
    Error, MessageId, Seq,
    message::{Audience, Content},
};
use handlers::operations::{
    messages::{self, Change, Recaller},
    relay::{self, Post},
};

use super::*;

fn says(text: String) -> Content {
    Content { text: Some(text), ..Content::default() }
}

/// One thing that happens to a log, maybe to a message that is there.
async fn happen(
    cx: &Context,
    room: &ConversationId,
    ids: &mut Vec<MessageId>,
    dice: &mut fastrand::Rng,
    n: usize,
) {
    let ann = caller("ann");
    // What is remembered grows and shrinks.
    let text = says(format!("message {n} {}", "x".repeat(dice.usize(..4_000))));
    let old = ids.get(dice.usize(..ids.len().max(1))).cloned();
    let done = match (dice.usize(..10), old) {
        (0, Some(id)) => messages::edit(cx, &ann, Dialect::Channels, &id, |content| *content = text.clone())
            .await
            .map(|_| ()),
        (1, Some(id)) => {
            messages::recall(cx, &ann, Dialect::Channels, &[id], Recaller::AuthorOrModerator).await
        }
        (2, Some(id)) => {
            messages::change(cx, &ann, Dialect::Channelize, &id, Change::React("like".into())).await
        }
        (3, Some(id)) => messages::change(cx, &ann, Dialect::Channelize, &id, Change::Pin).await,
        (4, Some(id)) => {
            let draft = Draft { content: text, parent_id: Some(id), ..Draft::default() };
            send::send(cx, &ann, Dialect::Channels, room, vec![draft]).await.map(|_| ())
        }
        // An id that was minted for one message is given to another.
        (5, Some(id)) => {
            let author = UserId::parse("ann").unwrap();
            let post = Post { id: Some(id), author, content: text, audience: Audience::default() };
            relay::post(cx, &ann, Dialect::Channelstream, room, &[post]).await.map(|_| ())
        }
        (6, _) => {
            let id = MessageId::parse(format!("chosen-{n}")).unwrap();
            let draft = Draft { id: Some(id.clone()), content: text, ..Draft::default() };
            ids.push(id);
            send::send(cx, &ann, Dialect::Channels, room, vec![draft]).await.map(|_| ())
        }
        (_, _) => {
            let drafts = (0..=dice.usize(..3)).map(|_| Draft { content: text.clone(), ..Draft::default() });
            let sent = send::send(cx, &ann, Dialect::Channels, room, drafts.collect()).await;
            sent.map(|sent| ids.extend(sent.messages.into_iter().map(|message| message.id)))
        }
    };
    // What was recalled is there no more.
    assert!(matches!(done, Ok(()) | Err(Error::NotFound(_))), "{done:?}");
}

#[tokio::test]
async fn a_night_of_messages_is_not_read_to_know_the_end() {
    let server = Server::in_process().await;
    server.make_users(&["ann"]).await;
    let room = server.make_conversation("private", &["ann"]).await;
    let number = server.number(&room).await;
    let (id, store) = (ConversationId::parse(&room).unwrap(), &server.running.context.store);
    store.recent(number, Seq(0), 20).await.unwrap();
    let caller = Caller { user: Some(UserId::parse("ann").unwrap()), powerful: false, server: false };
    let content = Content { text: Some("x".into()), ..Content::default() };
    for _ in 0..40 {
        let drafts = vec![Draft { content: content.clone(), ..Draft::default() }; 50];
        send::send(&server.running.context, &caller, Dialect::Channels, &id, drafts).await.unwrap();
    }
    server.settled().await;
    let mark = server.recorder.mark();
    let recent = store.recent(number, Seq(0), 20).await.unwrap();
    assert_eq!((recent.entries.len(), recent.tail), (20, Seq(2_001)));
    let requests = server.recorder.mark() - mark;
    assert!((1..=4).contains(&requests), "{requests} requests");
    // Replies stand after what they reply to: nothing before it is read.
    let ann = server.user("ann");
    let path = format!("/channels/{room}/messages");
    let parent = ann.post(&path, serde_json::json!({"content": "last"})).await.expect(201);
    let mark = server.recorder.mark();
    ann.get(&format!("{path}/{}/replies", parent["message_id"].as_str().unwrap())).await.expect(200);
    let asked = server.recorder.since(mark, "channels-list-replies");
    let queries = asked.iter().filter(|one| one.name == "Query").count();
    assert_eq!(queries, 1);
    server.end().await;
}

#[tokio::test]
async fn what_is_remembered_of_a_log_is_the_log() {
    let server = Server::start().await;
    server.make_users(&["ann"]).await;
    let room = server.make_conversation("private", &["ann"]).await;
    let number = server.number(&room).await;
    let room = ConversationId::parse(&room).unwrap();
    let (writing, reading) = (instance(&server), instance(&server));
    let (mut ids, mut dice) = (Vec::new(), fastrand::Rng::with_seed(7));
    for n in 0..160 {
        happen(&writing, &room, &mut ids, &mut dice, n).await;
        if dice.usize(..3) == 0 {
            continue;
        }
        let truth = log(&server, number).await;
        let tail = truth.last().unwrap().seq();
        let (after, most) = (Seq(dice.u64(..tail.0 + 2)), 1 + dice.usize(..60));
        let recent = reading.store.recent(number, after, most).await.unwrap();
        assert_eq!(recent.tail, tail);
        let entries: Vec<Entry> = recent.entries.iter().map(|entry| Entry::clone(entry)).collect();
        assert_eq!(entries, truth[truth.len() - entries.len()..], "after {after}, {most} at most");
        let due = truth.iter().filter(|entry| entry.seq() > after).count().min(most);
        assert!(due <= entries.len() && entries.len() <= most, "{due}, {} of {most}", entries.len());
    }
    assert!(log(&server, number).await.iter().any(|entry| entry.changed() == domain::entry::Changed::Any));
    server.end().await;
}
