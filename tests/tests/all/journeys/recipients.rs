//! A message for some of the members is nobody else's: not live, in no list, no count, no reaction, no reply.

use serde_json::{Value, json};

use super::{Team, created};

/// A room of ann, bob and cat, with one message for all and one of ann's for bob alone.
async fn whispered() -> (Team, String) {
    let mut team = Team::of(&["ann", "bob", "cat"]).await;
    team.server.user("ann").send(&team.room, "for all").await;
    team.heard().await;
    let only = json!({"recipients": ["bob"]});
    let secret = team.server.user("ann").send_with(&team.room, "secret", only).await;
    (team, secret)
}

#[tokio::test]
async fn only_the_author_and_the_recipients_hear_it() {
    let (mut team, _) = whispered().await;
    let told = created(&[team.message(3, "ann", "secret")]);
    team.hears(&[
        ("ann", vec![told.clone(), team.updated("ann", 0, Some((3, "ann")))]),
        ("bob", vec![told, team.updated("bob", 2, Some((3, "ann")))]),
    ])
    .await;
    // What others hear of the room later does not tell of it either.
    team.server.user("bob").send(&team.room, "next").await;
    let heard = team.heard().await;
    let last = heard["cat"].last().unwrap();
    assert_eq!(*last, team.updated("cat", 2, Some((4, "bob"))));
    team.server.end().await;
}

#[tokio::test]
async fn it_is_in_nobody_elses_lists_and_counts() {
    let (team, secret) = whispered().await;
    let room = format!("/v2/conversations/{}", team.room);
    for (user, texts, unread, last) in [
        ("ann", vec!["for all", "secret"], 0, "secret"),
        ("bob", vec!["for all", "secret"], 2, "secret"),
        ("cat", vec!["for all"], 1, "for all"),
    ] {
        let api = team.server.user(user);
        assert_eq!(api.texts(&team.room).await, texts, "{user}");
        let counted = api.get(&format!("{room}/messages/count?types=normal")).await.expect(200);
        assert_eq!(counted, json!({"count": texts.len()}), "{user}");
        let all = api.get("/v2/messages/unread/count").await.expect(200);
        assert_eq!(all, json!({"count": unread}), "{user}");
        let by_id = api.get(&format!("{room}/messages?ids={secret}")).await.expect(200);
        assert_eq!(by_id.as_array().unwrap().len(), texts.len() - 1, "{user}");
        let listed = api.get("/v2/conversations").await.expect(200);
        for shown in [&listed[0], &api.get(&room).await.expect(200)] {
            assert_eq!(shown["lastMessage"]["body"], last, "{user}");
            assert_eq!(shown["unreadMessageCount"], unread, "{user}");
        }
    }
    team.server.end().await;
}

#[tokio::test]
async fn nobody_else_can_react_to_it_pin_it_recall_it_reply_to_it_or_forward_it() {
    let (mut team, secret) = whispered().await;
    team.heard().await;
    let cat = team.server.user("cat");
    team.server
        .user("ann")
        .put(&format!("/v2/conversations/{}/add_admin", team.room), json!({"userId": "cat"}))
        .await
        .expect(204);
    let to = |body: Value| async { cat.post("/v2/messages/send", body).await };
    to(json!({"conversationId": team.room, "body": "re", "parentId": secret})).await.expect(404);
    for (path, body) in [
        (format!("/v2/messages/{secret}/add_reaction"), json!({"type": "like"})),
        (format!("/v2/messages/{secret}/remove_reaction"), json!({"type": "like"})),
        (format!("/v2/messages/{secret}/pin"), json!({})),
        ("/v2/messages/delete_for_everyone".to_owned(), json!({"messageIds": [secret]})),
        ("/v2/messages/delete".to_owned(), json!({"messageIds": [secret]})),
        ("/v2/messages/forward".to_owned(), json!({"messageIds": [secret], "conversationIds": [team.room]})),
    ] {
        cat.post(&path, body).await.expect(404);
    }
    cat.get(&format!("/v2/messages/{secret}/reactions?type=like")).await.expect(404);
    team.server.end().await;
}

#[tokio::test]
async fn what_happens_to_it_is_told_to_nobody_else() {
    let (mut team, secret) = whispered().await;
    team.heard().await;
    let bob = team.server.user("bob");
    bob.post(&format!("/v2/messages/{secret}/add_reaction"), json!({"type": "like"})).await.expect(204);
    bob.send_with(&team.room, "answer", json!({"parentId": secret, "recipients": ["ann"]})).await;
    bob.put(&format!("/v2/conversations/{}/mark_as_read", team.room), json!({})).await.expect(204);
    team.server
        .user("ann")
        .post("/v2/messages/delete_for_everyone", json!({"messageIds": [secret]}))
        .await
        .expect(200);
    let heard = team.heard().await;
    let cat = serde_json::to_string(&heard["cat"]).unwrap();
    assert!(!cat.contains("secret") && !cat.contains("answer"), "{cat}");
    assert!(!cat.contains(&crate::harness::packed(super::ROOM, 3).to_string()), "{cat}");
    assert!(!cat.contains("TextMessageDeleted"), "{cat}");
    assert_eq!(team.server.user("cat").texts(&team.room).await, ["for all"]);
    team.server.end().await;
}

/// The reply of some is heard by others as nothing at all: neither it nor that the parent has one more.
#[tokio::test]
async fn a_reply_for_some_does_not_count_for_others() {
    let mut team = Team::of(&["ann", "bob", "cat"]).await;
    let parent = team.server.user("ann").send(&team.room, "question").await;
    team.heard().await;
    let only = json!({"parentId": parent, "recipients": ["ann"]});
    team.server.user("bob").send_with(&team.room, "whispered answer", only).await;
    assert_eq!(team.heard().await["cat"], Vec::<Value>::new());
    let seen = team.server.user("cat").messages(&team.room).await;
    assert_eq!(seen[0]["replyCount"], 0, "{}", seen[0]);
    team.server.end().await;
}

#[tokio::test]
async fn a_reply_to_all_does_not_show_its_secret_parent() {
    let (mut team, secret) = whispered().await;
    team.heard().await;
    team.server.user("bob").send_with(&team.room, "aloud", json!({"parentId": secret})).await;
    let listed = team.server.user("cat").messages(&team.room).await;
    assert_eq!(listed[0]["body"], "aloud");
    assert!(listed[0].get("parentMessage").is_none(), "{}", listed[0]);
    let heard = serde_json::to_string(&team.heard().await["cat"]).unwrap();
    assert!(heard.contains("aloud") && !heard.contains("secret"), "{heard}");
    team.server.end().await;
}
