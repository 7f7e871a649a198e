//! Rooms and users.

use serde_json::{Value, json};

use super::{browser::Browser, events, kinds, make_room, signed_in};
use crate::harness::{START, Server};

#[tokio::test]
async fn users_are_listed_with_their_numbers() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let listed = bob.get("/api/v1/users").await.expect(200);
    let user = |number: u64, id: &str| {
        json!({
            "userId": number, "userName": id, "displayName": id, "isAdmin": false, "status": "Active",
            "createdUtc": START, "lastModifiedUtc": START,
        })
    };
    assert_eq!(listed["users"], json!([user(1, "ann"), user(2, "bob")]));
    for path in ["1", "2", "3", "0", "x", "99999999999999999999"] {
        ann.get(&format!("/api/v1/users/{path}/avatar.jpg")).await.expect(404);
    }
    let picture = json!({"profileImageUrl": "https://img.example/ann.jpg"});
    server.user("ann").put("/v2/users/ann", picture).await.expect(200);
    let shown = bob.get("/api/v1/users/1/avatar.jpg").await;
    assert_eq!(
        (shown.status.as_u16(), &shown.headers["location"]),
        (302, &"https://img.example/ann.jpg".parse().unwrap())
    );
    server.end().await;
}

#[tokio::test]
async fn a_user_from_before_numbers_were_named_is_found_and_named() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let store = &server.running.context.store;
    let key = store::keys::user_number(domain::Number(1));
    let text = aws_sdk_dynamodb::types::AttributeValue::S;
    let forget = server.running.items.delete_item().table_name(&server.running.table);
    forget.key("pk", text(key.pk.clone())).key("sk", text(key.sk.clone())).send().await.unwrap();
    for _ in 0..2 {
        let mark = server.recorder.mark();
        let found = ann.post("/api/v1/rooms", json!({"displayName": "x", "members": [1]})).await;
        found.expect(200);
        ann.get("/api/v1/users/1/avatar.jpg").await.expect(404);
        let cost = server.recorder.cost(mark, "events-get-user-avatar");
        assert_eq!((cost.queries, cost.writes), (0, 0.0), "it was named by then");
    }
    assert_eq!(store.user_of(domain::Number(1)).await.unwrap().unwrap().id.as_str(), "ann");
    assert!(store.user_of(domain::Number(9)).await.unwrap().is_none());
    server.end().await;
}

#[tokio::test]
async fn rooms_are_listed_as_each_member_sees_them() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let eve = signed_in(&server, "eve").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let empty = make_room(&server, "public", &["bob"]).await;
    server.clock.step(5);
    let message = ann.write(room, "one").await;
    let shown = |unread: u64, moderator: bool| {
        json!({
            "roomId": room, "displayName": "Team", "name": "Team", "roomType": "Private",
            "createdUtc": START, "lastModifiedUtc": START, "unreadMessageCount": unread,
            "isArchived": false, "isModerator": moderator, "isPinned": false,
            "lastMessage": {"messageId": message, "createdUtc": START + 5, "userId": 1},
        })
    };
    assert_eq!(ann.get("/api/v1/rooms").await.expect(200)["rooms"], json!([shown(0, true)]));
    let bobs = bob.get("/api/v1/rooms").await.expect(200);
    assert_eq!(bobs["rooms"][0], shown(1, false));
    assert_eq!(
        (&bobs["rooms"][1]["roomId"], &bobs["rooms"][1]["lastMessage"]),
        (&json!(empty), &Value::Null)
    );
    assert_eq!(eve.get("/api/v1/rooms").await.expect(200)["rooms"], json!([]));
    for path in ["messages", "avatar.jpg"] {
        eve.get(&format!("/api/v1/rooms/{room}/{path}")).await.expect(403);
    }
    eve.get(&format!("/api/v1/room-permissions/{room}")).await.expect(403);
    eve.get(&format!("/api/v1/messages/{message}/comments")).await.expect(403);
    eve.post(&format!("/api/v1/messages/{message}/read"), json!({})).await.expect(403);
    let mine = ann.get(&format!("/api/v1/room-permissions/{room}")).await.expect(200);
    let permissions = &mine["roomPermissions"];
    assert_eq!(permissions["roomId"], room);
    assert_eq!(permissions["permissions"]["canSendMessagesInMainThread"], true);
    assert_eq!(permissions["permissions"]["uiCanSeeWhoReadMessagesInMainThread"], true);
    assert_eq!(permissions["permissions"]["uiCanSeeWhoReadMessageInMainThread"], true);
    assert_eq!(permissions["permissions"]["canUseIntercom"], false);
    server.end().await;
}

#[tokio::test]
async fn a_list_of_rooms_costs_one_query_and_one_for_each() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    for _ in 0..5 {
        let room = make_room(&server, "private", &["ann"]).await;
        ann.write(room, "hi").await;
    }
    let mark = server.recorder.mark();
    assert_eq!(ann.get("/api/v1/rooms").await.expect(200)["rooms"].as_array().unwrap().len(), 5);
    let cost = server.recorder.cost(mark, "events-list-rooms");
    // The session and its user, the settings and the standings beside them: one request each, whatever the number of
    // rooms.
    assert_eq!((cost.queries, cost.requests), (1 + 5, 1 + 5 + 4));
    let room = make_room(&server, "private", &["ann"]).await;
    let path = format!("/api/v1/rooms/{room}/messages");
    for _ in 0..50 {
        ann.post(&path, json!({"content": "x".repeat(200)})).await.expect(200);
    }
    let mark = server.recorder.mark();
    ann.get(&format!("{path}?limit=50&direction=backward")).await.expect(200);
    let cost = server.recorder.cost(mark, "events-list-messages");
    // The page, and who has read; beside them the session, its user, the membership, and the settings at most.
    assert!(cost.queries == 2 && cost.requests <= 6, "{cost:?}");
    server.end().await;
}

#[tokio::test]
async fn a_room_is_made_changed_and_ended() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let mut heard = bob.listen(&server).await.unwrap();
    let new = json!({"displayName": "New Room", "roomType": "Private", "members": [2]});
    let made = ann.post("/api/v1/rooms", new).await.expect(200);
    let room = made["room"]["roomId"].as_u64().unwrap();
    assert_eq!(
        (&made["room"]["displayName"], &made["room"]["isModerator"]),
        (&json!("New Room"), &json!(true))
    );
    let name = json!({"displayName": "Other", "roomType": "Public"});
    let path = format!("/api/v1/rooms/{room}");
    bob.put(&path, name.clone()).await.expect(403);
    bob.delete(&path).await.expect(403);
    let frames = server.heard(&mut heard).await;
    assert_eq!(kinds(&frames), ["RoomCreated"]);
    assert_eq!(frames[0]["data"]["room"]["isModerator"], false);
    assert_eq!(ann.put(&path, name).await.expect(200)["room"]["roomType"], "Public");
    let frames = server.heard(&mut heard).await;
    assert_eq!(events(&frames, "RoomUpdated")[0]["room"]["displayName"], "Other");
    // A pin is the member's own, and told to that member only.
    let mut anns = ann.listen(&server).await.unwrap();
    for on in [true, true, false] {
        let pinned = bob.put(&path, json!({"isPinned": on})).await.expect(200);
        assert_eq!(pinned["room"]["isPinned"], on);
        let listed = bob.get("/api/v1/rooms").await.expect(200);
        assert_eq!(
            (&listed["rooms"][0]["isPinned"], &listed["rooms"][0]["roomId"]),
            (&json!(on), &json!(room))
        );
        let listed = ann.get("/api/v1/rooms").await.expect(200);
        assert_eq!(listed["rooms"][0]["isPinned"], false);
    }
    let told: Vec<_> = server.heard(&mut heard).await;
    let pins: Vec<_> =
        events(&told, "RoomUpdated").iter().map(|one| one["room"]["isPinned"].clone()).collect();
    assert_eq!(pins.last(), Some(&json!(false)), "{told:?}");
    assert!(server.heard(&mut anns).await.is_empty());
    bob.put(&path, json!({"isPinned": true, "displayName": "Bob's"})).await.expect(403);
    bob.put(&path, json!({"isPinned": "yes"})).await.expect(400);
    drop(anns);
    ann.delete(&path).await.expect(200);
    // Said again it is done again; who could not have done it hears that there is none.
    ann.delete(&path).await.expect(200);
    bob.delete(&path).await.expect(404);
    let frames = server.heard(&mut heard).await;
    assert_eq!(frames, [json!({"type": "RoomDeleted", "data": {"roomId": room}})]);
    ann.get(&format!("{path}/messages")).await.expect(404);
    ann.post(&format!("{path}/messages"), json!({"content": "late"})).await.expect(404);
    for bad in [
        json!({}),
        json!({"displayName": " "}),
        json!({"displayName": "x", "roomType": "Odd"}),
        json!({"displayName": "x", "members": [77]}),
        json!({"displayName": "x", "members": "bob"}),
    ] {
        ann.post("/api/v1/rooms", bad).await.expect(400);
    }
    server.end().await;
}

#[tokio::test]
async fn a_log_that_is_no_conversation_is_no_room() {
    let server = Server::start().await;
    let ann: Browser = signed_in(&server, "ann").await;
    // A ban writes a notice to the banned user's own log, which takes a number of its own.
    signed_in(&server, "bob").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let id = server.running.context.store.conversation_of(domain::Number(room)).await.unwrap().unwrap();
    let ban = json!({"userIds": ["bob"]});
    server.user("ann").post(&format!("/v2/conversations/{id}/ban"), ban).await.expect(204);
    server.running.drained().await;
    assert!(server.running.context.store.conversation_of(domain::Number(room + 1)).await.unwrap().is_some());
    for number in room + 1..room + 4 {
        ann.get(&format!("/api/v1/rooms/{number}/messages")).await.expect(404);
        ann.post(&format!("/api/v1/rooms/{number}/messages"), json!({"content": "x"})).await.expect(404);
    }
    server.end().await;
}
