//! The bodies of requests.

use domain::{Object, channel::Settings};
use serde_json::{Value, json};

use super::schema::{self, Checked, Reader};

/// How much a reply is to tell of channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// These; none: those that the request is about.
    pub channels: Option<Vec<String>>,
    /// Not these.
    pub exclude_channels: Vec<String>,
    /// Their histories.
    pub include_history: bool,
    /// Who listens.
    pub include_users: bool,
    /// Of users only what every listener may know.
    pub return_public_state: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            channels: None,
            exclude_channels: Vec::new(),
            include_history: true,
            include_users: true,
            return_public_state: false,
        }
    }
}

fn wanted(value: &Value) -> Checked<Wanted> {
    let mut reader = Reader::new(value)?;
    let names = |value: &Value| schema::list(value, schema::channel);
    let read = Wanted {
        include_history: reader.optional("include_history", schema::boolean).unwrap_or(true),
        include_users: reader.optional("include_users", schema::boolean).unwrap_or(true),
        channels: reader.optional("channels", names),
        exclude_channels: reader.optional("exclude_channels", names).unwrap_or_default(),
        return_public_state: reader.optional("return_public_state", schema::boolean).unwrap_or(false),
    };
    reader.optional("include_connections", schema::boolean);
    reader.finish(Some(read))
}

/// How a channel is to behave: what is not said is the default.
///
/// # Errors
/// What is wrong with it.
pub fn settings(value: &Value) -> Checked<Settings> {
    let mut reader = Reader::new(value)?;
    let default = Settings::default();
    let mut flag = |name: &str, default: bool| reader.optional(name, schema::boolean).unwrap_or(default);
    let read = Settings {
        notify_presence: flag("notify_presence", default.notify_presence),
        store_history: flag("store_history", default.store_history),
        broadcast_presence_with_user_lists: flag(
            "broadcast_presence_with_user_lists",
            default.broadcast_presence_with_user_lists,
        ),
        notify_state: flag("notify_state", default.notify_state),
        store_frames: flag("store_frames", default.store_frames),
        history_size: default.history_size,
    };
    let history_size = reader.optional("history_size", schema::size).unwrap_or(default.history_size);
    reader.finish(Some(Settings { history_size, ..read }))
}

/// The settings of channels, by name.
pub type Configs = Vec<(String, Settings)>;

fn configs(value: &Value) -> Checked<Configs> {
    schema::mapping(value, |value| schema::present(value, settings))
}

/// `POST /channel_config`: channels, and the settings of each; null leaves them as they are.
///
/// # Errors
/// What is wrong with it: the first channel's faults, without its name, as on the original.
pub fn channel_config(body: &Value) -> Checked<Vec<(String, Option<Settings>)>> {
    let reader = Reader::new(body)?;
    let mut configs = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        schema::channel(&Value::String(name.clone())).map_err(|fault| json!({ name.as_str(): fault }))?;
        let settings = if value.is_null() { None } else { Some(settings(value)?) };
        configs.push((name.clone(), settings));
    }
    reader.finish(Some(configs))
}

/// `POST /connect`.
#[derive(Debug, Clone, PartialEq)]
pub struct Connect {
    /// Who.
    pub username: String,
    /// The connection's id, where the application chose one.
    pub conn_id: Option<String>,
    /// To what it listens.
    pub channels: Vec<String>,
    /// What every listener may know of the user's state.
    pub state_public_keys: Vec<String>,
    /// The state of a user who is not known yet.
    pub fresh_user_state: Object,
    /// What changes of it.
    pub user_state: Object,
    /// Settings of channels that are new.
    pub channel_configs: Configs,
    /// What to reply.
    pub info: Wanted,
}

fn keys(value: &Value) -> Checked<Vec<String>> {
    schema::list(value, schema::channel)
}

/// `POST /connect`.
///
/// # Errors
/// What is wrong with it.
pub fn connect(body: &Value) -> Checked<Connect> {
    let mut reader = Reader::new(body)?;
    let username = reader.required("username", schema::user);
    let conn_id = reader.optional("conn_id", schema::uuid);
    let channels = reader.optional("channels", keys).unwrap_or_default();
    let state_public_keys = reader.optional("state_public_keys", keys).unwrap_or_default();
    let fresh_user_state = reader.optional("fresh_user_state", schema::state).unwrap_or_default();
    let user_state = reader.optional("user_state", schema::state).unwrap_or_default();
    let channel_configs = reader.optional("channel_configs", configs).unwrap_or_default();
    let info = reader.optional("info", wanted).unwrap_or_default();
    let read = username.map(|username| Connect {
        username,
        conn_id,
        channels,
        state_public_keys,
        fresh_user_state,
        user_state,
        channel_configs,
        info,
    });
    reader.finish(read)
}

/// `POST /subscribe` and `POST /unsubscribe`.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribe {
    /// The connection.
    pub conn_id: String,
    /// The channels.
    pub channels: Vec<String>,
    /// Settings of channels that are new.
    pub channel_configs: Configs,
    /// What to reply.
    pub info: Wanted,
}

/// `POST /subscribe` and `POST /unsubscribe`. `found` says whether there is such a connection; it is asked for only
/// where the id is one.
///
/// # Errors
/// What is wrong with it.
pub fn subscribe(body: &Value, conn_id: Option<Value>, found: bool) -> Checked<Subscribe> {
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.entry("conn_id").or_insert(conn_id.unwrap_or(Value::Null));
    }
    let mut reader = Reader::new(&body)?;
    let known = |value: &Value| {
        let id = schema::uuid(value)?;
        if found { Ok(id) } else { Err(json!(["Unknown connection"])) }
    };
    let conn_id = reader.required("conn_id", known);
    let channels = reader.required("channels", |value| schema::some(keys(value)?));
    let channel_configs = reader.optional("channel_configs", configs).unwrap_or_default();
    let info = reader.optional("info", wanted).unwrap_or_default();
    let read = conn_id.zip(channels);
    reader.finish(read.map(|(conn_id, channels)| Subscribe { conn_id, channels, channel_configs, info }))
}

/// `POST /user_state`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeState {
    /// Whose.
    pub user: String,
    /// What changes.
    pub user_state: Object,
    /// What every listener may know from now on; none: what it was.
    pub state_public_keys: Option<Vec<String>>,
}

/// `POST /user_state`. `found` says whether there is such a user.
///
/// # Errors
/// What is wrong with it.
pub fn user_state(body: &Value, found: bool) -> Checked<ChangeState> {
    let mut reader = Reader::new(body)?;
    let known = |value: &Value| {
        let (user, unknown) = (schema::user(value), json!("Unknown user"));
        match user {
            Ok(user) if found => Ok(user),
            Ok(_) => Err(json!([unknown])),
            // What is too long, or nothing, is unknown as well.
            Err(Value::Array(mut faults)) if value.is_string() => {
                faults.push(unknown);
                Err(Value::Array(faults))
            }
            Err(fault) => Err(fault),
        }
    };
    let user = reader.required("user", known);
    let user_state = reader.optional("user_state", schema::state).unwrap_or_default();
    let state_public_keys = reader.nullable("state_public_keys", keys);
    reader.finish(user.map(|user| ChangeState { user, user_state, state_public_keys }))
}

/// `/info`.
///
/// # Errors
/// What is wrong with it.
pub fn info(body: &Value) -> Checked<Wanted> {
    // The original has a word of its own for it here.
    let mut reader = Reader::new(body).map_err(|_fault| json!({ "_schema": ["Invalid type."] }))?;
    let info = reader.required("info", wanted);
    reader.finish(info)
}

/// `/disconnect`.
///
/// # Errors
/// What is wrong with it.
pub fn disconnect(conn_id: &Value) -> Checked<String> {
    let body = json!({ "conn_id": conn_id });
    let mut reader = Reader::new(&body)?;
    let conn_id = reader.required("conn_id", schema::uuid);
    reader.finish(conn_id)
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Only to these.
    pub pm_users: Vec<String>,
    /// Not to these.
    pub exclude_users: Vec<String>,
    /// In this channel.
    pub channel: Option<String>,
    /// It stands in no history.
    pub no_history: bool,
}

fn delivery(reader: &mut Reader<'_>) -> Delivery {
    let users = |value: &Value| schema::list(value, schema::user);
    Delivery {
        pm_users: reader.optional("pm_users", users).unwrap_or_default(),
        exclude_users: reader.optional("exclude_users", users).unwrap_or_default(),
        channel: reader.nullable("channel", schema::channel),
        no_history: reader.optional("no_history", schema::boolean).unwrap_or(false),
    }
}

/// A message to be sent, or an edit of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// To whom.
    pub delivery: Delivery,
    /// Its id, where the application chose one; an edit has one always.
    pub uuid: Option<String>,
    /// When, where the application says it.
    pub timestamp: Option<String>,
    /// By whom; a new message has one always.
    pub user: Option<String>,
    /// The payload.
    pub message: Option<Object>,
    /// When it was edited, where the application says it.
    pub edited: Option<String>,
}

/// An element of `POST /message`.
///
/// # Errors
/// What is wrong with it.
pub fn message(value: &Value) -> Checked<Message> {
    let mut reader = Reader::new(value)?;
    let read = Message {
        delivery: delivery(&mut reader),
        uuid: reader.optional("uuid", schema::uuid),
        timestamp: reader.optional("timestamp", schema::time),
        user: reader.required("user", schema::user),
        message: reader.optional("message", schema::object),
        edited: None,
    };
    reader.finish(Some(read))
}

/// An element of `PATCH /message`.
///
/// # Errors
/// What is wrong with it.
pub fn edit(value: &Value) -> Checked<Message> {
    let mut reader = Reader::new(value)?;
    let read = Message {
        delivery: delivery(&mut reader),
        uuid: reader.required("uuid", schema::uuid),
        timestamp: reader.optional("timestamp", schema::time),
        user: reader.optional("user", schema::user),
        message: reader.optional("message", schema::object),
        edited: reader.optional("edited", schema::time),
    };
    reader.finish(Some(read))
}

/// An element of `DELETE /message`.
///
/// # Errors
/// What is wrong with it.
pub fn delete(value: &Value) -> Checked<(Delivery, String)> {
    let mut reader = Reader::new(value)?;
    let delivery = delivery(&mut reader);
    let uuid = reader.required("uuid", schema::uuid);
    reader.finish(uuid.map(|uuid| (delivery, uuid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_said_as_marshmallow_says_them() {
        let said = |value: Value| schema::many(&value, message).unwrap_err();
        assert_eq!(said(json!({})), json!({"_schema": ["Invalid input type."]}));
        assert_eq!(
            said(json!([{"user": "a"}, {"user": null, "message": "text", "pm_users": ["a", 5, ""]}, {}])),
            json!({
                "1": {
                    "user": ["Field may not be null."],
                    "message": ["Not a valid mapping type."],
                    "pm_users": {"1": ["Not a valid string."], "2": ["Length must be between 1 and 512."]},
                },
                "2": {"user": ["Missing data for required field."]},
            })
        );
        assert_eq!(
            said(json!([{"user": "a", "uuid": "x", "timestamp": "x", "no_history": "x", "channel": ""}])),
            json!({"0": {
                "uuid": ["Not a valid UUID."],
                "timestamp": ["Not a valid datetime."],
                "no_history": ["Not a valid boolean."],
                "channel": ["Length must be between 1 and 256."],
            }})
        );
        assert_eq!(
            connect(&json!({"username": "a", "user_state": {"k": []}, "channel_configs": {"c": {"history_size": -1}, "d": 5}}))
                .unwrap_err(),
            json!({
                "user_state": {"k": {"value": ["Value is not type of string, integer, boolean or float."]}},
                "channel_configs": {
                    "c": {"value": {"history_size": ["Must be at least 0."]}},
                    "d": {"value": {"_schema": ["Invalid input type."]}},
                },
            })
        );
        assert_eq!(
            subscribe(&json!({"channels": []}), None, false).unwrap_err(),
            json!({"conn_id": ["Field may not be null."], "channels": ["Shorter than minimum length 1."]})
        );
        assert_eq!(user_state(&json!({"user": "x"}), false).unwrap_err(), json!({"user": ["Unknown user"]}));
        assert_eq!(info(&json!({})).unwrap_err(), json!({"info": ["Missing data for required field."]}));
        assert_eq!(settings(&json!({"store_history": "true", "history_size": "7"})).unwrap().history_size, 7);
    }
}
