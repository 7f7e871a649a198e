//! What a dialect cannot express is kept, not dropped, when it edits.

use domain::Dialect;
use serde_json::json;

use super::{
    World,
    drivers::{self, Action},
    members,
};
use crate::channelstream::{send, signed};

#[tokio::test]
async fn the_other_keys_of_a_payload_survive_an_edit_of_its_text() {
    let mut world = World::new().await;
    for by in [Dialect::Channels, Dialect::Events, Dialect::Nkchat] {
        world.gather(&members(&[])).await;
        let id = world.scene.id.clone();
        let payload = json!({"text": "before", "can": "store_different_keys", "n": 1, "list": [{"a": null}]});
        send(&world.server, json!({"channel": id, "user": "ann", "message": payload})).await;
        world.call_newest("M").await;
        world.watchers.frames(&world.server).await;
        world.act(by, Action::Edit("after")).await;
        let edited = json!({"text": "after", "can": "store_different_keys", "n": 1, "list": [{"a": null}]});
        let heard = world.watchers.frames(&world.server).await;
        assert_eq!(heard[&Dialect::Channelstream][0]["message"], edited, "{}", by.name());
        let asked = json!({"info": {"channels": [id]}});
        let info = signed(&world.server).post("/info", asked).await.expect(200);
        assert_eq!(info["channels"][&id]["history"][0]["message"], edited, "{}", by.name());
    }
    drop(world.watchers);
    world.server.end().await;
}

#[tokio::test]
async fn what_only_channelize_knows_of_a_message_survives_every_other_dialect_s_edit() {
    let mut world = World::new().await;
    for by in Dialect::ALL {
        if drivers::lack(by, Action::Edit("")).is_some() {
            continue;
        }
        world.gather(&members(&[])).await;
        let id = world.scene.id.clone();
        let ann = world.server.user("ann");
        let more = json!({
            "metaData": {"order": 7, "deep": {"er": [1, 2]}}, "customType": "invoice", "encrypted": true,
            "attachments": [{"type": "image", "name": "a.png", "fileUrl": "https://example.org/a.png"}],
            "mentionedUsers": [{"userId": "cleo", "wordCount": 1, "order": 1}],
        });
        let uuid = ann.send_with(&id, "before", more).await;
        world.call_newest("M").await;
        assert_eq!(world.scene.uuid("M"), uuid);
        ann.post(&format!("/v2/messages/{uuid}/add_reaction"), json!({"type": "like"})).await.expect(204);
        ann.post(&format!("/v2/messages/{uuid}/pin"), json!({})).await.expect(204);
        let before = ann.messages(&id).await[0].clone();
        assert_eq!(before["metaData"]["deep"], json!({"er": [1, 2]}));
        assert_eq!(before["attachments"].as_array().unwrap().len(), 1);
        world.act(by, Action::Edit("after")).await;
        let mut expected = before;
        expected["body"] = "after".into();
        let after = ann.messages(&id).await[0].clone();
        if !world.server.holds_time() {
            expected["updatedAt"] = after["updatedAt"].clone();
        }
        assert_eq!(after, expected, "{}", by.name());
        world.watchers.frames(&world.server).await;
    }
    drop(world.watchers);
    world.server.end().await;
}
