//! Attachments: files of a message, named by numbers.
//!
//! A message keeps attachments as JSON objects of whatever dialect made them. This one knows an object by its
//! place in the message ([`Handle`]): its `index`, which an uploaded file carries, or else its position. What
//! another dialect attached is shown as far as its keys say what this one asks for.

use domain::{Message, Object, Place};
use serde::Serialize;

/// Attachments that one message shows and takes: what four bits can count.
pub const MOST: u64 = 16;
/// Of a handle's 53 bits, these are the attachment's; 25 are the seq's, 24 the conversation's number's.
const INDEX_BITS: u32 = 4;
const SEQ_BITS: u32 = 25;
const NUMBER_BITS: u32 = 24;

/// Which attachment of which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    /// Where the message stands.
    pub place: Place,
    /// Which of its attachments.
    pub index: u64,
}

impl Handle {
    /// The handle as a number of 53 bits. None where it does not fit: from the 16,777,216th conversation or the
    /// 33,554,432nd entry of one on.
    #[must_use]
    pub fn packed(self) -> Option<u64> {
        let Place { number, seq } = self.place;
        (number.0 < 1 << NUMBER_BITS && seq.0 < 1 << SEQ_BITS && self.index < MOST)
            .then_some(number.0 << (SEQ_BITS + INDEX_BITS) | seq.0 << INDEX_BITS | self.index)
    }

    /// The handle that such a number stands for.
    #[must_use]
    pub const fn unpacked(packed: u64) -> Option<Self> {
        if packed >= 1 << (NUMBER_BITS + SEQ_BITS + INDEX_BITS) {
            return None;
        }
        Some(Self {
            place: Place {
                number: domain::Number(packed >> (SEQ_BITS + INDEX_BITS)),
                seq: domain::Seq((packed >> INDEX_BITS) & ((1 << SEQ_BITS) - 1)),
            },
            index: packed & (MOST - 1),
        })
    }
}

/// An attachment, as the wire tells it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    attachment_id: u64,
    attachment_state: &'static str,
    created_utc: i64,
    file_checksum: String,
    file_name: String,
    file_size: u64,
    has_thumbnail: bool,
    last_modified_utc: i64,
    room_id: u64,
    text_message_id: u64,
}

/// A file that was uploaded, as the message keeps it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Names its bytes, a uuid.
    pub id: String,
    /// `image`, `video`, `audio`, or `file`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is, on this server.
    pub file_url: String,
    /// Its bytes.
    pub size: u64,
    /// Its media type.
    pub mime_type: String,
    /// SHA-1 of its bytes, in hexadecimal.
    pub checksum: String,
    /// When it came, unix milliseconds.
    pub created_at: i64,
    /// Which attachment of its message it is.
    pub index: u64,
}

impl Upload {
    /// The object that a message keeps.
    #[must_use]
    pub fn object(&self) -> Object {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(object)) => object,
            _ => Object::new(),
        }
    }

    /// The type that the other dialects know a file of this media type by.
    #[must_use]
    pub fn kind_of(mime_type: &str) -> &'static str {
        match mime_type.split('/').next() {
            Some("image") => "image",
            Some("video") => "video",
            Some("audio") => "audio",
            _ => "file",
        }
    }
}

/// The index of the attachment at a position of its message.
#[must_use]
pub fn index(position: usize, object: &Object) -> u64 {
    let own = object.get("index").and_then(serde_json::Value::as_u64);
    own.unwrap_or_else(|| u64::try_from(position).unwrap_or(MOST))
}

/// Whether the attachment was uploaded here: its bytes are kept.
#[must_use]
pub fn is_upload(object: &Object) -> bool {
    object.contains_key("index") && object.contains_key("checksum")
}

/// The index for one more attachment; none if the message has as many as it can.
#[must_use]
pub fn next_index(attachments: &[Object]) -> Option<u64> {
    let taken = attachments.iter().enumerate().map(|(position, object)| index(position, object) + 1);
    Some(taken.max().unwrap_or(0)).filter(|next| *next < MOST)
}

/// A message's attachments.
#[must_use]
pub fn of(message: &Message) -> Vec<Attachment> {
    let all = message.content.attachments.iter().enumerate();
    all.filter_map(|(position, object)| show(message, index(position, object), object)).collect()
}

/// One attachment of a message.
#[must_use]
pub fn show(message: &Message, index: u64, object: &Object) -> Option<Attachment> {
    let text = |names: &[&str]| {
        names.iter().find_map(|name| object.get(*name)?.as_str()).filter(|text| !text.is_empty())
    };
    let number = |name| object.get(name).and_then(serde_json::Value::as_i64);
    let created = number("createdAt").unwrap_or_else(|| message.created_at().millis());
    Some(Attachment {
        attachment_id: Handle { place: message.place, index }.packed()?,
        attachment_state: "ReadyForDownloadFromServerToClient",
        created_utc: created,
        file_checksum: text(&["checksum"]).unwrap_or_default().to_owned(),
        file_name: file_name(object),
        file_size: number("size").and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        has_thumbnail: text(&["thumbnailUrl"]).is_some(),
        last_modified_utc: created,
        room_id: message.place.number.0,
        text_message_id: message.place.packed()?,
    })
}

/// What the attachment's file is called.
#[must_use]
pub fn file_name(object: &Object) -> String {
    let text = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    let of_url = text("fileUrl").and_then(|url| url.split(['?', '#']).next()?.rsplit('/').next());
    let name = text("name").or(of_url).or_else(|| text("title")).filter(|name| !name.is_empty());
    name.or_else(|| text("type")).unwrap_or("attachment").to_owned()
}

#[cfg(test)]
mod tests {
    use domain::{Number, Seq};

    use super::*;

    #[test]
    fn a_handle_is_a_number_and_comes_back() {
        let at = |seq, index| Handle { place: Place { number: Number(7), seq: Seq(seq) }, index };
        for handle in [at(1, 0), at(33_554_431, 15)] {
            assert_eq!(Handle::unpacked(handle.packed().unwrap()), Some(handle));
        }
        assert!(at(2, 0).packed() > at(1, 15).packed());
        assert_eq!(at(1, 16).packed(), None);
        assert_eq!(at(1 << 25, 0).packed(), None);
        assert_eq!(Handle::unpacked(1 << 53), None);
    }

    #[test]
    fn an_index_stays_when_another_attachment_goes() {
        let object = |json: serde_json::Value| json.as_object().unwrap().clone();
        let foreign = object(serde_json::json!({"type":"image"}));
        let own = |n: u64| object(serde_json::json!({"index":n,"checksum":""}));
        assert_eq!(next_index(&[]), Some(0));
        assert_eq!(next_index(&[foreign.clone(), own(1), own(2)]), Some(3));
        assert_eq!(next_index(&[foreign, own(2)]), Some(3));
        assert_eq!(next_index(&[own(15)]), None);
        assert_eq!(index(0, &own(2)), 2);
    }
}
