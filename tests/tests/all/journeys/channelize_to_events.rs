//! What is done with Channelize's REST API is heard on the `events` stream: every frame, whole, and no other.

use serde_json::json;

use super::{Team, created, message_deleted, messages_updated, room_deleted};
use crate::harness::START;

#[tokio::test]
async fn a_new_conversation_is_a_room_for_its_members_and_for_nobody_else() {
    let mut team = Team::with(&["ann", "bob", "cat"], &["ann", "bob"], "private").await;
    // The first conversation was heard while the team was made; this is a second one.
    let body = json!({"title": "Second", "isGroup": true, "members": ["cat"]});
    team.server.user("bob").post("/v2/conversations", body).await.expect(201);
    let heard = team.heard().await;
    assert_eq!(heard["ann"], Vec::<serde_json::Value>::new());
    for (user, moderates) in [("bob", true), ("cat", false)] {
        assert_eq!(
            heard[user],
            [json!({"type": "RoomCreated", "data": {"room": {
                "roomId": 2, "name": "Second", "displayName": "Second", "roomType": "Private",
                "createdUtc": START, "lastModifiedUtc": START, "unreadMessageCount": 0, "isArchived": false,
                "isModerator": moderates, "isPinned": false, "lastMessage": null,
            }}})],
            "{user}"
        );
    }
    team.server.end().await;
}

#[tokio::test]
async fn a_message_is_heard_complete_and_the_room_with_what_each_has_not_read() {
    let mut team = Team::of(&["ann", "bob"]).await;
    team.server.user("ann").send(&team.room, "hello").await;
    let told = created(&[team.message(2, "ann", "hello")]);
    team.hears(&[
        ("ann", vec![told.clone(), team.updated("ann", 0, Some((2, "ann")))]),
        ("bob", vec![told, team.updated("bob", 1, Some((2, "ann")))]),
    ])
    .await;
    team.server.user("bob").send(&team.room, "hi").await;
    let told = created(&[team.message(3, "bob", "hi")]);
    team.hears(&[
        ("ann", vec![told.clone(), team.updated("ann", 1, Some((3, "bob")))]),
        ("bob", vec![told, team.updated("bob", 1, Some((3, "bob")))]),
    ])
    .await;
    team.server.end().await;
}

#[tokio::test]
async fn a_message_by_the_server_for_a_user_is_the_users() {
    let mut team = Team::of(&["ann", "bob"]).await;
    team.server.acting_for("bob").send(&team.room, "by the server").await;
    let told = created(&[team.message(2, "bob", "by the server")]);
    team.hears(&[
        ("ann", vec![told.clone(), team.updated("ann", 1, Some((2, "bob")))]),
        ("bob", vec![told, team.updated("bob", 0, Some((2, "bob")))]),
    ])
    .await;
    team.server.end().await;
}

#[tokio::test]
async fn a_reply_is_a_comment_and_its_parent_counts_it() {
    let mut team = Team::of(&["ann", "bob"]).await;
    let parent = team.server.user("ann").send(&team.room, "question").await;
    team.heard().await;
    team.server.user("bob").send_with(&team.room, "answer", json!({"parentId": parent})).await;
    let mut comment = team.message(3, "bob", "answer");
    comment["parentMessageId"] = crate::harness::packed(super::ROOM, 2).into();
    let mut counted = team.message(2, "ann", "question");
    counted["commentCount"] = 1.into();
    let both = [created(&[comment]), messages_updated(&[counted])];
    let with = |room| both.iter().cloned().chain([room]).collect();
    let (ann, bob) = (team.updated("ann", 1, Some((3, "bob"))), team.updated("bob", 1, Some((3, "bob"))));
    team.hears(&[("ann", with(ann)), ("bob", with(bob))]).await;
    let listed = team.server.user("ann").messages(&team.room).await;
    assert_eq!((&listed[0]["type"], &listed[0]["parentId"]), (&json!("reply"), &json!(parent)));
    assert_eq!(
        (&listed[1]["replyCount"], &listed[0]["parentMessage"]["body"]),
        (&json!(1), &json!("question"))
    );
    team.server.end().await;
}

#[tokio::test]
async fn a_recalled_message_is_gone_from_the_rooms_and_stays_as_deleted_in_the_lists() {
    let mut team = Team::of(&["ann", "bob"]).await;
    let kept = team.server.user("ann").send(&team.room, "kept").await;
    let recalled = team.server.user("ann").send(&team.room, "recalled").await;
    team.heard().await;
    let recall = json!({"messageIds": [recalled]});
    let refused = team.server.user("bob").post("/v2/messages/delete_for_everyone", recall.clone()).await;
    refused.expect(403);
    team.hears(&[]).await;
    for _ in 0..2 {
        let path = "/v2/messages/delete_for_everyone";
        let answer = team.server.user("ann").post(path, recall.clone()).await.expect(200);
        assert_eq!(answer, json!([]));
    }
    let deleted = message_deleted(0, 3);
    team.hears(&[
        ("ann", vec![deleted.clone(), team.updated("ann", 0, Some((2, "ann")))]),
        ("bob", vec![deleted, team.updated("bob", 1, Some((2, "ann")))]),
    ])
    .await;
    for user in ["ann", "bob"] {
        let listed = team.server.user(user).messages(&team.room).await;
        let shown: Vec<_> =
            listed.iter().map(|one| json!([one["id"], one["isDeleted"], one["body"]])).collect();
        assert_eq!(shown, [json!([recalled, true, null]), json!([kept, false, "kept"])], "{user}");
        assert!(!listed[0].to_string().contains("\"body\":\"recalled\""), "{user}");
    }
    team.server.end().await;
}

#[tokio::test]
async fn an_own_copy_is_deleted_for_its_user_alone() {
    let mut team = Team::of(&["ann", "bob", "cat"]).await;
    let first = team.server.user("ann").send(&team.room, "first").await;
    team.server.user("ann").send(&team.room, "second").await;
    team.heard().await;
    let own = json!({"messageIds": [first]});
    team.server.user("bob").post("/v2/messages/delete", own).await.expect(204);
    team.hears(&[("bob", vec![message_deleted(0, 2), team.updated("bob", 1, Some((3, "ann")))])]).await;
    assert_eq!(team.server.user("bob").texts(&team.room).await, ["second"]);
    for user in ["ann", "cat"] {
        assert_eq!(team.server.user(user).texts(&team.room).await, ["first", "second"], "{user}");
    }
    let unread = team.server.user("bob").get("/v2/messages/unread/count").await.expect(200);
    assert_eq!(unread, json!({"count": 1}));
    team.server.end().await;
}

#[tokio::test]
async fn who_has_read_is_told_to_all_and_the_room_to_the_reader() {
    let mut team = Team::of(&["ann", "bob"]).await;
    team.server.user("ann").send(&team.room, "one").await;
    team.server.user("ann").send(&team.room, "two").await;
    team.heard().await;
    let read_at = team.server.clock.step(5_000);
    let path = format!("/v2/conversations/{}/mark_as_read", team.room);
    team.server.user("bob").put(&path, json!({})).await.expect(204);
    let mut read = [team.message(2, "ann", "one"), team.message(3, "ann", "two")];
    for message in &mut read {
        let own = message["readTimestamps"].as_array_mut().unwrap();
        own.push(json!({"userId": team.numbers["bob"], "readUtc": read_at}));
    }
    let told = messages_updated(&read);
    team.hears(&[("ann", vec![told.clone()]), ("bob", vec![told, team.updated("bob", 0, Some((3, "ann")))])])
        .await;
    let unread = team.server.user("bob").get("/v2/messages/unread/count").await.expect(200);
    assert_eq!(unread, json!({"count": 0}));
    let shown = team.server.user("ann").get(&format!("/v2/conversations/{}", team.room)).await.expect(200);
    if team.server.holds_time() {
        assert_eq!(shown["lastReadAt"]["bob"], "2033-05-18T03:33:25.000Z");
    }
    // A mark up to a time before the messages would go back: nothing happens.
    let before = json!({"timestamp": "2020-01-29T05:29:43.233Z"});
    team.server.user("bob").put(&path, before).await.expect(204);
    team.hears(&[]).await;
    team.server.end().await;
}

#[tokio::test]
async fn a_new_title_is_a_new_room_for_every_member() {
    let mut team = Team::of(&["ann", "bob"]).await;
    let path = format!("/v2/conversations/{}/update_title", team.room);
    team.server.user("bob").put(&path, json!({"title": "Mine"})).await.expect(403);
    team.hears(&[]).await;
    let at = team.server.clock.step(1_000);
    team.server.user("ann").put(&path, json!({"title": "Crew"})).await.expect(200);
    let frame = |user| team.room_frame_titled("RoomUpdated", "Crew", at, user, 0, None);
    let due = [("ann", vec![frame("ann")]), ("bob", vec![frame("bob")])];
    team.hears(&due).await;
    team.server.end().await;
}

#[tokio::test]
async fn reactions_and_pins_are_told_to_nobody_whose_dialect_has_no_words_for_them() {
    let mut team = Team::of(&["ann", "bob"]).await;
    let id = team.server.user("ann").send(&team.room, "hello").await;
    team.heard().await;
    let bob = team.server.user("bob");
    for _ in 0..2 {
        bob.post(&format!("/v2/messages/{id}/add_reaction"), json!({"type": "like"})).await.expect(204);
    }
    bob.post(&format!("/v2/messages/{id}/pin"), json!({})).await.expect(403);
    team.server.user("ann").ask("POST", &format!("/v2/messages/{id}/pin"), None).await.expect(204);
    team.hears(&[]).await;
    let listed = team.server.user("ann").messages(&team.room).await;
    assert_eq!(listed[0]["reactions"], json!({"like": ["bob"]}));
    assert_eq!(listed[0]["reactionsCount"], json!({"like": 1}));
    assert_eq!(listed[0]["pinned"], true);
    let users = bob.get(&format!("/v2/messages/{id}/reactions?type=like")).await.expect(200);
    assert_eq!(users, json!([{"id": "bob", "displayName": "bob", "profileImageUrl": null}]));
    team.server.end().await;
}

#[tokio::test]
async fn a_deleted_conversation_is_gone_for_all_and_its_id_is_free() {
    let mut team = Team::of(&["ann", "bob"]).await;
    team.server.user("ann").send(&team.room, "hello").await;
    team.heard().await;
    // Channelize's `delete` is the caller's own copy: nobody else notices.
    let path = format!("/v2/conversations/{}/delete", team.room);
    team.server.user("bob").delete(&path).await.expect(204);
    let heard = team.heard().await;
    assert_eq!(heard["ann"], Vec::<serde_json::Value>::new());
    assert!(!heard["bob"].contains(&room_deleted()), "still a member");
    assert_eq!(team.server.user("bob").texts(&team.room).await, Vec::<String>::new());
    let listed = team.server.user("bob").get("/v2/conversations").await.expect(200);
    assert_eq!(listed, json!([]), "off the list until something new comes");
    team.server.user("ann").send(&team.room, "new").await;
    assert_eq!(team.server.user("bob").texts(&team.room).await, ["new"]);
    let listed = team.server.user("bob").get("/v2/conversations").await.expect(200);
    assert_eq!(listed[0]["id"], json!(team.room));
    team.server.end().await;
}
