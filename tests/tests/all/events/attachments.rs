//! Files of messages.

use serde_json::{Value, json};

use super::{browser::Browser, events, kinds, make_room, signed_in};
use crate::harness::Server;

const FORM: &str = "multipart/form-data; boundary=xx";

/// A form with files in the field `files`.
pub(super) fn form(files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, kind, bytes) in files {
        // As browsers write it.
        let name = name.replace('"', "%22");
        let head = format!(
            "--xx\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--xx--\r\n");
    body
}

pub(super) async fn upload(browser: &mut Browser, message: u64, body: Vec<u8>) -> super::browser::Page {
    browser.headers = vec![("content-type", FORM.to_owned())];
    let page = browser.ask("POST", &format!("/api/v1/messages/{message}/attachments"), body).await;
    browser.headers.clear();
    page
}

pub(super) async fn attachments(browser: &Browser, room: u64) -> Vec<Value> {
    browser.messages(room).await[0]["attachments"].as_array().unwrap().clone()
}

#[tokio::test]
async fn files_are_attached_told_read_and_taken_off() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.db");
    let server = Server::in_process_with(|options| {
        options.storage = switchboard::dynamodb::Storage::File(data);
    })
    .await;
    let mut ann = signed_in(&server, "ann").await;
    let mut bob = signed_in(&server, "bob").await;
    let eve = signed_in(&server, "eve").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let message = ann.write(room, "see").await;
    let mut heard = bob.listen(&server).await.unwrap();
    let binary: Vec<u8> = (0..=255).collect();
    let files = form(&[("päß \".png", "image/png", &binary), ("b.html", "text/html", b"<script>")]);
    upload(&mut bob, message, files.clone()).await.expect(403);
    upload(&mut ann, message, files).await.expect(200);
    let frames = server.heard(&mut heard).await;
    assert_eq!(kinds(&frames), ["TextMessagesUpdated"]);
    let listed = attachments(&bob, room).await;
    assert_eq!(events(&frames, "TextMessagesUpdated")[0]["messages"][0]["attachments"], json!(listed));
    let id = |n: usize| listed[n]["attachmentId"].as_u64().unwrap();
    let expected = json!({
        "attachmentId": id(0), "attachmentState": "ReadyForDownloadFromServerToClient",
        "createdUtc": server.clock.now(), "lastModifiedUtc": server.clock.now(),
        "fileChecksum": "4916d6bdb7f78e6803698cab32d1586ea457dfc8", "fileName": "päß \".png", "fileSize": 256,
        "hasThumbnail": false, "roomId": room, "textMessageId": message,
    });
    assert_eq!(listed[0], expected);
    assert_eq!(bob.get(&format!("/api/v1/attachments/{}", id(0))).await.json(), expected);
    let file = bob.get(&format!("/api/v1/attachments/{}/x.png", id(0))).await;
    assert_eq!((file.status.as_u16(), &file.bytes[..]), (200, &binary[..]));
    assert_eq!(file.headers["content-type"], "image/png");
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"p__ _.png\"; filename*=UTF-8''p%C3%A4%C3%9F%20%22%2Epng"
    );
    for path in [format!("/api/v1/attachments/{}", id(0)), format!("/api/v1/attachments/{}/x", id(1))] {
        eve.get(&path).await.expect(403);
    }
    eve.delete(&format!("/api/v1/attachments/{}", id(0))).await.expect(403);
    bob.delete(&format!("/api/v1/attachments/{}", id(0))).await.expect(403);
    // The other dialects see them as attachments of their own kind.
    ann.delete(&format!("/api/v1/attachments/{}", id(0))).await.expect(200);
    let gone = bob.get(&format!("/api/v1/attachments/{}/x", id(0))).await.expect(404);
    assert_eq!(gone["errorText"], "Attachment not found");
    ann.delete(&format!("/api/v1/attachments/{}", id(0))).await.expect(404);
    let kept = std::fs::read_dir(folder.path().join("attachments")).unwrap().count();
    assert_eq!((attachments(&bob, room).await[0]["attachmentId"].as_u64(), kept), (Some(id(1)), 1));
    ann.delete(&format!("/api/v1/messages/{message}")).await.expect(200);
    bob.get(&format!("/api/v1/attachments/{}", id(1))).await.expect(404);
    assert_eq!(std::fs::read_dir(folder.path().join("attachments")).unwrap().count(), 0);
    server.end().await;
}

#[tokio::test]
async fn what_is_no_upload_leaves_nothing_behind() {
    let server = Server::start().await;
    let mut ann = signed_in(&server, "ann").await;
    let room = make_room(&server, "private", &["ann"]).await;
    let message = ann.write(room, "see").await;
    for body in [&b""[..], b"--xx--", b"--xx\r\n\r\nnothing\r\n--xx--", &[0xff; 10]] {
        upload(&mut ann, message, body.to_vec()).await.expect(400);
    }
    ann.post(&format!("/api/v1/messages/{message}/attachments"), json!({})).await.expect(400);
    let large = vec![0; 4_000_001];
    upload(&mut ann, message, form(&[("a", "text/plain", b"a"), ("b", "text/plain", &large)]))
        .await
        .expect(413);
    let many: Vec<_> = (0..17).map(|_| ("a", "text/plain", &b"a"[..])).collect();
    upload(&mut ann, message, form(&many)).await.expect(400);
    assert!(attachments(&ann, room).await.is_empty());
    upload(&mut ann, message, form(&many[..16])).await.expect(200);
    assert_eq!(attachments(&ann, room).await.len(), 16);
    upload(&mut ann, message, form(&many[..1])).await.expect(400);
    for id in ["0", "x", "-1", "9007199254740993"] {
        assert_eq!(
            ann.get(&format!("/api/v1/attachments/{id}")).await.expect(404)["errorText"],
            "Attachment not found"
        );
    }
    server.end().await;
}

#[tokio::test]
async fn a_file_is_named_by_its_own_message_only() {
    let server = Server::start().await;
    let mut ann = signed_in(&server, "ann").await;
    let eve = signed_in(&server, "eve").await;
    let id = server.make_conversation("private", &["ann"]).await;
    let room = server.number(&id).await.0;
    let message = ann.write(room, "see").await;
    upload(&mut ann, message, form(&[("a.txt", "text/plain", b"secret")])).await.expect(200);
    let kept = server.user("ann").messages(&id).await.remove(0)["attachments"][0].clone();
    assert_eq!((&kept["type"], &kept["name"], &kept["size"]), (&json!("file"), &json!("a.txt"), &json!(6)));
    let own = server.make_conversation("private", &["eve"]).await;
    server.user("eve").send_with(&own, "mine now", json!({"attachments": [kept]})).await;
    let own = server.number(&own).await.0;
    let forged = attachments(&eve, own).await[0]["attachmentId"].as_u64().unwrap();
    eve.get(&format!("/api/v1/attachments/{forged}/a.txt")).await.expect(404);
    eve.delete(&format!("/api/v1/attachments/{forged}")).await.expect(200);
    let real = kept["fileUrl"].as_str().unwrap();
    assert_eq!(&ann.get(real).await.bytes[..], b"secret");
    server.end().await;
}

#[tokio::test]
async fn a_forwarded_message_goes_without_its_files() {
    let server = Server::start().await;
    let mut ann = signed_in(&server, "ann").await;
    let id = server.make_conversation("private", &["ann"]).await;
    let room = server.number(&id).await.0;
    let other = server.make_conversation("private", &["ann"]).await;
    let api = server.user("ann");
    let link = json!({"type": "image", "name": "b.png", "fileUrl": "https://example.org/b.png"});
    let first = api.send_with(&id, "see", json!({"attachments": [link]})).await;
    let number = ann.messages(room).await[0]["messageId"].as_u64().unwrap();
    upload(&mut ann, number, form(&[("a.txt", "text/plain", b"a")])).await.expect(200);
    assert_eq!(attachments(&ann, room).await.len(), 2);
    let forward = |ids: &[&String]| json!({"messageIds": ids, "conversationIds": [other]});
    // One of files alone, with what says of an attachment that it was uploaded.
    let file = json!({"type": "file", "name": "c.txt", "index": 0, "checksum": "4916d6bd"});
    let body = json!({"conversationId": id, "attachments": [file]});
    let bare = api.post("/v2/messages/send", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let refused = api.post("/v2/messages/forward", forward(&[&first, &bare])).await.expect(400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("messageIds"), "{refused}");
    assert!(api.messages(&other).await.is_empty(), "nothing was forwarded");
    api.post("/v2/messages/forward", forward(&[&first])).await.expect(204);
    let copy = api.messages(&other).await.remove(0);
    assert_eq!((&copy["body"], copy["attachments"].as_array().unwrap().len()), (&json!("see"), 1));
    let kept = attachments(&ann, server.number(&other).await.0).await;
    assert_eq!((kept.len(), &kept[0]["fileName"]), (1, &json!("b.png")));
    let handle = kept[0]["attachmentId"].as_u64().unwrap();
    assert_eq!(ann.get(&format!("/api/v1/attachments/{handle}/b.png")).await.status, 302);
    server.end().await;
}
