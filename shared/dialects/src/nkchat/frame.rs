//! The framing: one JSON object per text frame.

use std::{collections::BTreeMap, fmt};

use domain::Object;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A command, to be answered under its `tid`.
    Request(Request),
    /// An answer to a command of ours.
    Answer {
        /// The command's.
        tid: Tid,
        /// The frame as it is to be handed on, without its `tid`.
        rest: Object,
    },
    /// An answer to a command of ours will come later.
    Ack {
        /// The command's.
        tid: Tid,
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
    pub tid: Tid,
}

/// The frame is none: the connection is closed, and nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadFrame;

/// What an answer carries: a JSON scalar, to the byte as it came. A number is not rounded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tid(Box<RawValue>);

impl PartialEq for Tid {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

impl Tid {
    fn of(json: &RawValue) -> Result<Self, BadFrame> {
        match json.get().as_bytes().first() {
            Some(b'[' | b'{') => return Err(BadFrame),
            // Not everything between quotes is text.
            Some(b'"') => drop(value(json)?),
            _ => {}
        }
        Ok(Self(json.to_owned()))
    }

    /// The number that it is, if it is one of ours.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.get().parse().ok()
    }
}

/// The fields of a frame, not looked into. Of those of one name the last counts.
type Envelope<'a> = BTreeMap<String, &'a RawValue>;

/// Reads a frame. `deep`: it is nested so deeply that only its envelope is to be looked at.
///
/// # Errors
/// [`BadFrame`] if it is no JSON, no object, or has no shape of a frame.
pub fn parse(text: &str, deep: bool) -> Result<Frame, BadFrame> {
    let mut it: Envelope<'_> = serde_json::from_str(text).map_err(|_not_one| BadFrame)?;
    if !deep {
        return read(it);
    }
    let mut field = |name| it.remove(name).ok_or(BadFrame);
    let (class, cmd, tid) = (value(field("class")?)?, value(field("cmd")?)?, Tid::of(field("tid")?)?);
    let subclass = it.remove("subclass").map(value).transpose()?;
    Ok(request(&class, subclass.as_ref(), &cmd, tid, None))
}

fn read(mut it: Envelope<'_>) -> Result<Frame, BadFrame> {
    let (ack, tid) = (it.remove("ack"), it.remove("tid"));
    let fields = it.into_iter().map(|(name, json)| Ok((name, value(json)?)));
    let it: Object = fields.collect::<Result<_, BadFrame>>()?;
    if it.get("class").and_then(Value::as_str) == Some("event")
        && it.get("data").is_some_and(Value::is_object)
    {
        return Ok(Frame::Event);
    }
    if let Some(tid) = ack {
        return Tid::of(tid).map(|tid| Frame::Ack { tid });
    }
    let tid = Tid::of(tid.ok_or(BadFrame)?)?;
    if let (Some(class), Some(cmd)) = (it.get("class"), it.get("cmd")) {
        let data = match it.get("data") {
            None | Some(Value::Null) => Some(Object::new()),
            Some(Value::Object(data)) => Some(data.clone()),
            Some(_) => None,
        };
        return Ok(request(class, it.get("subclass"), cmd, tid, data));
    }
    if it.contains_key("result") {
        return Ok(Frame::Answer { tid, rest: it });
    }
    Err(BadFrame)
}

fn value(json: &RawValue) -> Result<Value, BadFrame> {
    serde_json::from_str(json.get()).map_err(|_none| BadFrame)
}

/// A command's parts. What is no text names nothing, and no command is called that.
fn request(class: &Value, subclass: Option<&Value>, cmd: &Value, tid: Tid, data: Option<Object>) -> Frame {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let subclass = subclass.filter(|value| !value.is_null()).map(text).unwrap_or_default();
    Frame::Request(Request { class: text(class), subclass, cmd: text(cmd), data, tid })
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
    let mut it: Envelope<'_> = serde_json::from_str(text).map_err(|_not_one| BadFrame)?;
    it.insert("tid".into(), RawValue::NULL);
    it.remove("ack");
    it.remove("result");
    match read(it)? {
        Frame::Request(request) => Ok(request),
        Frame::Answer { .. } | Frame::Ack { .. } | Frame::Event => Err(BadFrame),
    }
}

/// The answer to a command that was done. An empty result is left out.
#[must_use]
pub fn ok(tid: Option<&Tid>, data: Option<Value>) -> String {
    let mut it = Object::new();
    it.insert("result".into(), "ok".into());
    if let Some(data) = data.filter(|data| data.as_object().is_none_or(|object| !object.is_empty())) {
        it.insert("data".into(), data);
    }
    answer(it, tid)
}

/// The answer to a command that was refused.
#[must_use]
pub fn error(tid: Option<&Tid>, refusal: &super::error::Refusal) -> String {
    let mut it = Object::new();
    it.insert("result".into(), "error".into());
    it.insert("data".into(), refusal.data());
    answer(it, tid)
}

/// An answer, under the `tid` of what it answers. There is a `result` in it.
#[must_use]
pub fn answer(it: Object, tid: Option<&Tid>) -> String {
    let mut json = Value::Object(it).to_string();
    if let Some(tid) = tid {
        // No value of the library's takes a number as it came: the last field is written behind the others.
        json.truncate(json.len().saturating_sub(1));
        json.push_str(&format!(",\"tid\":{tid}}}"));
    }
    json
}

/// The word that the answer will come later.
#[must_use]
pub fn ack(tid: &Tid) -> String {
    format!("{{\"ack\":{tid}}}")
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

    fn tid(json: &str) -> Tid {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_tid_is_a_scalar_and_stays_as_it_came() {
        for scalar in [
            "123456789012345678901234567890",
            "1e30",
            "1E+30",
            "1.50",
            "-0",
            "-0.0",
            "1e999",
            "18446744073709551616",
            r#""\u00e9\/""#,
            "true",
            "null",
        ] {
            for deep in [false, true] {
                let frame = format!(r#"{{"class":"c","cmd":"x","tid": {scalar} ,"data":{{}}}}"#);
                let Ok(Frame::Request(request)) = parse(&frame, deep) else { panic!("{scalar}") };
                assert_eq!(ok(Some(&request.tid), None), format!(r#"{{"result":"ok","tid":{scalar}}}"#));
                assert_eq!(ack(&request.tid), format!(r#"{{"ack":{scalar}}}"#));
                // As a session keeps it.
                let kept = serde_json::to_string(&request.tid).unwrap();
                assert_eq!(tid(&kept), request.tid);
            }
        }
        for bad in ["[1]", "{}", r#""\ud800""#, "01", "1.", "+1", "NaN", ""] {
            let frame = format!(r#"{{"class":"c","cmd":"x","tid":{bad}}}"#);
            assert_eq!(parse(&frame, false), Err(BadFrame), "{bad}");
            assert_eq!(parse(&frame, true), Err(BadFrame), "{bad}");
        }
        let ours = [("7", Some(7)), ("7.0", None), ("-7", None), ("\"7\"", None)];
        assert_eq!(ours.map(|(json, _)| tid(json).as_u64()), ours.map(|(_, number)| number));
    }

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
        assert_eq!((request.data, request.tid), (None, tid("\"a\"")));
    }

    #[test]
    fn events_acks_and_answers_are_told_apart() {
        assert_eq!(parse(r#"{"class":"event","data":{"class":"chat"}}"#, false), Ok(Frame::Event));
        assert_eq!(parse(r#"{"ack":99}"#, false), Ok(Frame::Ack { tid: tid("99") }));
        assert!(matches!(parse(r#"{"result":"ok","tid":99}"#, false), Ok(Frame::Answer { .. })));
        assert!(matches!(parse(r#"{"class":5,"cmd":"x","tid":3.5}"#, false), Ok(Frame::Request(_))));
    }

    #[test]
    fn an_empty_result_is_left_out() {
        assert_eq!(ok(Some(&tid("1")), None), r#"{"result":"ok","tid":1}"#);
        assert_eq!(ok(None, Some(json!({}))), r#"{"result":"ok"}"#);
        assert!(parse_rpc(br#"{"class":"chat","cmd":"x"}"#, false).is_ok());
        assert!(parse_rpc(br#"{"class":"chat"}"#, false).is_err());
    }
}
