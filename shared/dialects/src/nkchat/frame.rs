//! The framing: one JSON object per text frame.

use domain::Object;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A command, to be answered under its `tid`.
    Request(Request),
    /// An answer to a command of ours.
    Answer {
        /// The command's.
        tid: Value,
        /// The frame as it is to be handed on, without its `tid`.
        rest: Object,
    },
    /// An answer to a command of ours will come later.
    Ack {
        /// The command's.
        tid: Value,
    },
    /// An event of the client's own. It means nothing, and is never answered.
    Event,
}

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `chat`, `core`, …
    pub class: String,
    /// `user`, …; empty if there is none.
    pub subclass: String,
    /// `create`, …
    pub cmd: String,
    /// Its fields; none if they are no object, or too deep to be one.
    pub data: Option<Object>,
    /// What the answer carries.
    pub tid: Value,
}

/// The frame is none: the connection is closed, and nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadFrame;

/// The frame of an envelope whose `data` nobody wants to look into.
#[derive(Deserialize)]
struct Envelope {
    class: Option<Value>,
    subclass: Option<Value>,
    cmd: Option<Value>,
    tid: Option<Value>,
    #[serde(rename = "data")]
    _data: Option<IgnoredAny>,
}

/// Reads a frame. `deep`: it is nested so deeply that only its envelope is to be looked at.
///
/// # Errors
/// [`BadFrame`] if it is no JSON, no object, or has no shape of a frame.
pub fn parse(text: &str, deep: bool) -> Result<Frame, BadFrame> {
    if deep {
        let it: Envelope = serde_json::from_str(text).map_err(|_not_one| BadFrame)?;
        let (Some(class), Some(cmd), Some(tid)) = (it.class, it.cmd, it.tid) else { return Err(BadFrame) };
        return request(&class, it.subclass.as_ref(), &cmd, tid, None);
    }
    let Ok(Value::Object(mut it)) = serde_json::from_str(text) else { return Err(BadFrame) };
    if it.get("class").and_then(Value::as_str) == Some("event")
        && it.get("data").is_some_and(Value::is_object)
    {
        return Ok(Frame::Event);
    }
    if let Some(tid) = it.remove("ack") {
        return scalar(tid).map(|tid| Frame::Ack { tid });
    }
    let tid = scalar(it.remove("tid").ok_or(BadFrame)?)?;
    if let (Some(class), Some(cmd)) = (it.get("class"), it.get("cmd")) {
        let data = match it.get("data") {
            None | Some(Value::Null) => Some(Object::new()),
            Some(Value::Object(data)) => Some(data.clone()),
            Some(_) => None,
        };
        return request(class, it.get("subclass"), cmd, tid, data);
    }
    if it.contains_key("result") {
        return Ok(Frame::Answer { tid, rest: it });
    }
    Err(BadFrame)
}

/// A command's parts. What is no text names nothing, and no command is called that.
fn request(
    class: &Value,
    subclass: Option<&Value>,
    cmd: &Value,
    tid: Value,
    data: Option<Object>,
) -> Result<Frame, BadFrame> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let subclass = subclass.filter(|value| !value.is_null()).map(text).unwrap_or_default();
    let tid = scalar(tid)?;
    Ok(Frame::Request(Request { class: text(class), subclass, cmd: text(cmd), data, tid }))
}

fn scalar(tid: Value) -> Result<Value, BadFrame> {
    if tid.is_array() || tid.is_object() { Err(BadFrame) } else { Ok(tid) }
}

/// The body of `POST /nkchat/rpc`: a command without a `tid`.
///
/// # Errors
/// [`BadFrame`] if it is no JSON, or has no class or command.
pub fn parse_rpc(body: &[u8], deep: bool) -> Result<Request, BadFrame> {
    let text = std::str::from_utf8(body).map_err(|_bytes| BadFrame)?;
    if deep {
        return Err(BadFrame);
    }
    let Ok(Value::Object(mut it)) = serde_json::from_str(text) else { return Err(BadFrame) };
    it.insert("tid".into(), Value::Null);
    it.remove("ack");
    it.remove("result");
    match parse(&Value::Object(it).to_string(), false)? {
        Frame::Request(request) => Ok(request),
        Frame::Answer { .. } | Frame::Ack { .. } | Frame::Event => Err(BadFrame),
    }
}

/// The answer to a command that was done. An empty result is left out.
#[must_use]
pub fn ok(tid: Option<&Value>, data: Option<Value>) -> String {
    let mut it = Object::new();
    if let Some(tid) = tid {
        it.insert("tid".into(), tid.clone());
    }
    it.insert("result".into(), "ok".into());
    if let Some(data) = data.filter(|data| data.as_object().is_none_or(|object| !object.is_empty())) {
        it.insert("data".into(), data);
    }
    Value::Object(it).to_string()
}

/// The answer to a command that was refused.
#[must_use]
pub fn error(tid: Option<&Value>, refusal: &super::error::Refusal) -> String {
    let mut it = Object::new();
    if let Some(tid) = tid {
        it.insert("tid".into(), tid.clone());
    }
    it.insert("result".into(), "error".into());
    it.insert("data".into(), refusal.data());
    Value::Object(it).to_string()
}

/// The word that the answer will come later.
#[must_use]
pub fn ack(tid: &Value) -> String {
    json!({ "ack": tid }).to_string()
}

/// Seconds between two pings, as a ping says them.
pub const PING_SECONDS: i64 = 60;

/// The server's ping.
#[must_use]
pub fn ping(tid: u64) -> String {
    json!({"class": "core", "cmd": "ping", "data": {"time": PING_SECONDS}, "tid": tid}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame_is_refused() {
        for bad in [
            "{nope",
            "[1]",
            "{}",
            "5",
            r#"{"class":"chat","subclass":"user","cmd":"get","data":{}}"#,
            r#"{"class":"chat","tid":1}"#,
            r#"{"class":"chat","cmd":"get","tid":{}}"#,
            r#"{"tid":1}"#,
        ] {
            assert_eq!(parse(bad, false), Err(BadFrame), "{bad}");
            assert_eq!(parse(bad, true), Err(BadFrame), "{bad}");
        }
    }

    #[test]
    fn a_deep_command_is_a_command_without_data() {
        let deep = format!(
            r#"{{"class":"chat","subclass":"user","cmd":"get","data":{}{},"tid":"a"}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        let Ok(Frame::Request(request)) = parse(&deep, true) else { panic!("no request") };
        assert_eq!((request.data, request.tid), (None, json!("a")));
    }

    #[test]
    fn events_acks_and_answers_are_told_apart() {
        assert_eq!(parse(r#"{"class":"event","data":{"class":"chat"}}"#, false), Ok(Frame::Event));
        assert_eq!(parse(r#"{"ack":99}"#, false), Ok(Frame::Ack { tid: json!(99) }));
        assert!(matches!(parse(r#"{"result":"ok","tid":99}"#, false), Ok(Frame::Answer { .. })));
        assert!(matches!(parse(r#"{"class":5,"cmd":"x","tid":3.5}"#, false), Ok(Frame::Request(_))));
    }

    #[test]
    fn an_empty_result_is_left_out() {
        assert_eq!(ok(Some(&json!(1)), None), r#"{"result":"ok","tid":1}"#);
        assert_eq!(ok(None, Some(json!({}))), r#"{"result":"ok"}"#);
        assert!(parse_rpc(br#"{"class":"chat","cmd":"x"}"#, false).is_ok());
        assert!(parse_rpc(br#"{"class":"chat"}"#, false).is_err());
    }
}
