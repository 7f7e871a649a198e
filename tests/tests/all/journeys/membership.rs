//! Coming and going: who joins sees what was before, and nobody hears or reads what was written without them.

use serde_json::json;

use super::{Team, created, room_deleted};

#[tokio::test]
async fn a_new_member_is_told_of_the_room_and_reads_what_was_before() {
    let mut team = Team::with(&["ann", "bob", "cat"], &["ann", "bob"], "private").await;
    let (ann, cat) = (team.server.user("ann"), team.server.user("cat"));
    ann.send(&team.room, "before").await;
    team.heard().await;
    let messages = format!("/v2/conversations/{}/messages", team.room);
    cat.get(&messages).await.expect(403);
    let add = format!("/v2/conversations/{}/add_members", team.room);
    team.server.user("bob").post(&add, json!({"members": ["cat"]})).await.expect(403);
    ann.post(&add, json!({"members": ["cat"]})).await.expect(204);
    team.hears(&[("cat", vec![team.room_frame("RoomCreated", "cat", 0, Some((2, "ann")))])]).await;
    assert_eq!(cat.texts(&team.room).await, ["before"]);
    let told = created(&[team.message(4, "ann", "welcome")]);
    ann.send(&team.room, "welcome").await;
    team.hears(&[
        ("ann", vec![told.clone(), team.updated("ann", 0, Some((4, "ann")))]),
        ("bob", vec![told.clone(), team.updated("bob", 2, Some((4, "ann")))]),
        ("cat", vec![told, team.updated("cat", 1, Some((4, "ann")))]),
    ])
    .await;
    team.server.end().await;
}

/// The ways out of a private room.
#[derive(Debug, Clone, Copy)]
enum Way {
    Removed,
    Left,
    Banned,
}

async fn take(team: &Team, way: Way) {
    let path = |what: &str| format!("/v2/conversations/{}/{what}", team.room);
    let answer = match way {
        Way::Removed => {
            team.server.user("ann").post(&path("remove_members"), json!({"members": ["bob"]})).await
        }
        Way::Left => team.server.user("bob").post(&path("leave"), json!({})).await,
        Way::Banned => {
            let ban = json!({"userIds": ["bob"], "reason": "spam"});
            team.server.user("ann").post(&path("ban"), ban).await
        }
    };
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
}

/// Nothing of the room is left for bob, over any call.
async fn assert_shut(team: &Team, message: &str) {
    let bob = team.server.user("bob");
    let room = format!("/v2/conversations/{}", team.room);
    for path in ["", "/messages", "/messages/count", "/members"] {
        bob.get(&format!("{room}{path}")).await.expect(403);
    }
    bob.put(&format!("{room}/mark_as_read"), json!({})).await.expect(403);
    bob.get(&format!("/v2/messages/{message}/reactions?type=like")).await.expect(403);
    for (path, body) in [
        ("/v2/messages/send", json!({"conversationId": team.room, "body": "from outside"})),
        (&format!("/v2/messages/{message}/add_reaction"), json!({"type": "like"})),
        ("/v2/messages/delete_for_everyone", json!({"messageIds": [message]})),
        ("/v2/messages/delete", json!({"messageIds": [message]})),
        ("/v2/messages/forward", json!({"messageIds": [message], "userIds": ["cat"]})),
    ] {
        let answer = bob.post(path, body).await;
        assert!(matches!(answer.status, 403 | 404), "{answer:?}");
    }
    assert_eq!(bob.get("/v2/conversations").await.expect(200), json!([]));
    assert_eq!(bob.get("/v2/messages/unread/count").await.expect(200), json!({"count": 0}));
}

#[tokio::test]
async fn who_is_out_hears_that_the_room_is_gone_and_then_nothing() {
    for way in [Way::Removed, Way::Left, Way::Banned] {
        let mut team = Team::of(&["ann", "bob", "cat"]).await;
        let ann = team.server.user("ann");
        let before = ann.send(&team.room, "before").await;
        team.heard().await;
        take(&team, way).await;
        team.hears(&[("bob", vec![room_deleted()])]).await;
        let secret = ann.send(&team.room, "without bob").await;
        ann.post(&format!("/v2/messages/{before}/add_reaction"), json!({"type": "like"})).await.expect(204);
        ann.post("/v2/messages/delete_for_everyone", json!({"messageIds": [before]})).await.expect(200);
        let title = format!("/v2/conversations/{}/update_title", team.room);
        ann.put(&title, json!({"title": "Without bob"})).await.expect(200);
        let heard = team.heard().await;
        assert_eq!(heard["bob"], Vec::<serde_json::Value>::new(), "{way:?}");
        assert!(!heard["cat"].is_empty(), "{way:?}");
        assert_shut(&team, &secret).await;
        team.server.end().await;
    }
}

/// What is written and what takes somebody out, in one batch and brought twice: still nothing that is written
/// behind the door is heard.
#[tokio::test]
async fn who_is_out_hears_nothing_also_where_everything_comes_at_once() {
    for way in [Way::Removed, Way::Left, Way::Banned] {
        let mut team = Team::of(&["ann", "bob"]).await;
        let ann = team.server.user("ann");
        for round in 0..5 {
            ann.send(&team.room, &format!("seen {round}")).await;
        }
        take(&team, way).await;
        for round in 0..5 {
            ann.send(&team.room, &format!("secret {round}")).await;
        }
        for again in [false, true] {
            if again {
                team.server.deliver_again(&team.room).await;
            }
            let heard = team.heard().await;
            let bob = serde_json::to_string(&heard["bob"]).unwrap();
            assert!(!bob.contains("secret"), "{way:?}: {bob}");
            assert_eq!((0..5).filter(|n| bob.contains(&format!("seen {n}"))).count(), 5, "{way:?}: {bob}");
            assert_eq!(heard["bob"].last(), Some(&room_deleted()), "{way:?}");
            let ann = serde_json::to_string(&heard["ann"]).unwrap();
            assert!(ann.contains("secret 4"), "{way:?}: {ann}");
        }
        team.server.end().await;
    }
}

#[tokio::test]
async fn who_comes_back_sees_what_was_before_and_never_what_was_written_meanwhile() {
    for way in [Way::Removed, Way::Left, Way::Banned] {
        let mut team = Team::of(&["ann", "bob"]).await;
        let (ann, bob) = (team.server.user("ann"), team.server.user("bob"));
        let before = ann.send(&team.room, "before").await;
        take(&team, way).await;
        let missed = ann.send(&team.room, "missed").await;
        ann.send_with(&team.room, "missed reply", json!({"parentId": missed})).await;
        let room = team.room.clone();
        let path = |what: &str| format!("/v2/conversations/{room}/{what}");
        if matches!(way, Way::Banned) {
            ann.post(&path("add_members"), json!({"members": ["bob"]})).await.expect(403);
            let lifted = ann.ask("DELETE", &path("ban"), Some(json!({"userIds": ["bob"]}))).await;
            lifted.expect(204);
            ann.send(&team.room, "missed before coming back").await;
        }
        ann.post(&path("add_members"), json!({"members": ["bob"]})).await.expect(204);
        let heard = team.heard().await;
        let told = heard["bob"].last().unwrap();
        assert_eq!(
            (&told["type"], &told["data"]["room"]["unreadMessageCount"]),
            (&json!("RoomCreated"), &json!(0))
        );
        ann.send_with(&team.room, "after", json!({"parentId": missed})).await;
        ann.post(&format!("/v2/messages/{missed}/add_reaction"), json!({"type": "like"})).await.expect(204);
        ann.post("/v2/messages/delete_for_everyone", json!({"messageIds": [missed]})).await.expect(200);
        // A list tells of it neither itself nor as the parent of a later reply.
        assert_eq!(bob.texts(&team.room).await, ["before", "after"], "{way:?}");
        let everything = bob.get(&path("messages")).await.expect(200).to_string();
        assert!(!everything.contains("missed"), "{way:?}: {everything}");
        let by_id = bob.get(&path(&format!("messages?ids={missed},{before}"))).await.expect(200);
        assert_eq!(by_id.as_array().unwrap().len(), 1, "{way:?}: {by_id}");
        bob.get(&format!("/v2/messages/{missed}/reactions?type=like")).await.expect(404);
        bob.post(&format!("/v2/messages/{missed}/add_reaction"), json!({"type": "x"})).await.expect(404);
        assert_eq!(bob.get("/v2/messages/unread/count").await.expect(200), json!({"count": 1}), "{way:?}");
        let heard = serde_json::to_string(&team.heard().await["bob"]).unwrap();
        assert!(heard.contains("after") && !heard.contains("missed"), "{way:?}: {heard}");
        assert!(!heard.contains("TextMessageDeleted"), "{way:?}: {heard}");
        team.server.end().await;
    }
}

#[tokio::test]
async fn nobody_acts_on_somebody_of_an_equal_or_higher_role() {
    let team = Team::of(&["ann", "bob", "cat"]).await;
    let path = |what: &str| format!("/v2/conversations/{}/{what}", team.room);
    let (ann, bob, cat) = (team.server.user("ann"), team.server.user("bob"), team.server.user("cat"));
    ann.put(&path("add_admin"), json!({"userId": "bob"})).await.expect(204);
    bob.post(&path("remove_members"), json!({"members": ["ann"]})).await.expect(403);
    bob.post(&path("ban"), json!({"userIds": ["ann"]})).await.expect(403);
    cat.post(&path("ban"), json!({"userIds": ["bob"]})).await.expect(403);
    cat.put(&path("add_admin"), json!({"userId": "cat"})).await.expect(403);
    bob.post(&path("ban"), json!({"userIds": ["cat"]})).await.expect(204);
    let server = team.server.server();
    server.post(&path("ban"), json!({"userIds": ["ann"]})).await.expect(204);
    ann.get(&path("messages")).await.expect(403);
    team.server.end().await;
}
