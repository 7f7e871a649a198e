//! Who is overtaken again and again gets its turn; who died with one holds nobody up for long.

use domain::Event;
use handlers::operations::commit::{Operation, Plan, Seen, commit};
use store::turn::{End, HELD_MILLIS};

use super::*;

/// Pins the conversation, and lets somebody else write each time between its reading and its writing, if that one may.
struct Overtaken<'a> {
    other: &'a Context,
    room: &'a str,
}

impl Operation for Overtaken<'_> {
    type Output = ();

    async fn plan(&self, seen: &Seen<'_>) -> Result<Plan<()>, Error> {
        let end = self.other.store.end(seen.conversation.number, self.other.clock.now()).await?;
        if let End::Free(_) = end {
            send(self.other, "bob", self.room, None, "first").await?;
        }
        let user = UserId::trusted("ann");
        let entry = seen.entry(0, Event::ConversationPinned { user, on: true })?;
        Ok(Plan::Append(vec![entry], Vec::new(), ()))
    }
}

#[tokio::test]
async fn who_is_always_overtaken_takes_a_turn_and_gives_it_back() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("private", &["ann", "bob"]).await;
    let (own, other) = (instance(&server), instance(&server));
    let id = ConversationId::trusted(&room);
    let slow = Overtaken { other: &other, room: &room };
    commit(&own, &caller("ann"), Dialect::Channelize, &id, &slow).await.unwrap();
    let log = log(&server, server.number(&room).await).await;
    assert!(matches!(log.last().unwrap().event, Event::ConversationPinned { .. }));
    assert!(log.iter().filter_map(message).count() > 1, "it was overtaken before");
    // Nobody waits any more.
    send(&other, "bob", &room, None, "second").await.unwrap();
    server.end().await;
}

#[tokio::test]
async fn a_turn_whose_owner_died_is_over_by_itself() {
    let server = Server::start().await;
    server.make_users(&["ann"]).await;
    let room = server.make_conversation("private", &["ann"]).await;
    let number = server.number(&room).await;
    let (own, other) = (instance(&server), instance(&server));
    let now = own.clock.now();
    let turn = own.store.take_turn(number, now).await.unwrap().expect("nobody else has one");
    assert!(other.store.take_turn(number, now).await.unwrap().is_none(), "one at a time");
    assert!(matches!(other.store.end(number, now).await.unwrap(), End::Taken));
    assert_eq!(send(&other, "ann", &room, None, "hello").await.unwrap_err(), Error::Busy);
    let later = now.plus_millis(HELD_MILLIS);
    assert!(turn.is_over(later));
    let End::Free(Some(tail)) = other.store.end(number, later).await.unwrap() else { panic!("it is over") };
    assert_eq!(Some(tail), other.store.tail(number).await.unwrap());
    // Who found that has taken it away, so that nobody pays for it again.
    assert!(matches!(own.store.end(number, now).await.unwrap(), End::Free(_)));
    send(&other, "ann", &room, None, "hello").await.unwrap();
    server.end().await;
}
