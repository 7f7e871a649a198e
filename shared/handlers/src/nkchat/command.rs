//! Who asks, which commands there are, and what is done after the answer.

use dialects::nkchat::{error::Refusal, fields::Fields, frame::Request};
use serde_json::Value;

use super::{conversation, core, message, session::Open, user};
use crate::{auth::Caller, context::Context};

/// Somebody who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The host.
    pub cx: &'a Context,
    /// Who it is; none who has not logged in.
    pub caller: Option<&'a Caller>,
    /// The socket; none over HTTP.
    pub connection: Option<&'a str>,
    /// The socket's session.
    pub session: Option<&'a Open>,
}

impl<'a> Asker<'a> {
    /// Who it is.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`].
    pub fn caller(&self) -> Result<&'a Caller, Refusal> {
        self.caller.ok_or(Refusal::NotAuthenticated)
    }

    /// Refuses all but admins' sessions and the application's server.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`], [`Refusal::Unauthorized`].
    pub fn powerful(&self) -> Result<&'a Caller, Refusal> {
        let caller = self.caller()?;
        if caller.powerful { Ok(caller) } else { Err(Refusal::Unauthorized) }
    }

    /// The caller as somebody who acts on conversations. An admin's session acts as the application's server: it
    /// is no member of what it makes, and whom it names comes into being.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`].
    pub fn acting(&self) -> Result<Caller, Refusal> {
        let caller = self.caller()?;
        if caller.powerful && !caller.server {
            return Ok(Caller { user: None, powerful: true, server: true });
        }
        Ok(caller.clone())
    }
}

/// Which commands a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `chat/user`
    User,
    /// `chat/conversation`
    Conversation,
    /// `chat/message`
    Message,
    /// `core`, and what there is not.
    Core,
}

impl Scope {
    /// The scope that a command belongs to.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        match (request.class.as_str(), request.subclass.as_str()) {
            ("chat", "user") => Self::User,
            ("chat", "conversation") => Self::Conversation,
            ("chat", "message") => Self::Message,
            _ => Self::Core,
        }
    }
}

/// A command that was done.
#[derive(Debug)]
pub struct Done {
    /// The result; none if there is nothing to say.
    pub data: Option<Value>,
    /// What else is to be done.
    pub after: After,
}

/// What is to be done after the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Nothing,
    /// The socket gets its first ping.
    Ping,
    /// These connections are closed.
    Close(Vec<String>),
    /// There is no answer yet: it comes from somebody else.
    Later,
}

impl Done {
    /// Done, with this result.
    #[must_use]
    pub const fn with(data: Value) -> Self {
        Self { data: Some(data), after: After::Nothing }
    }

    /// Done, with nothing to say.
    #[must_use]
    pub const fn plainly() -> Self {
        Self { data: None, after: After::Nothing }
    }
}

/// Does a command that is in this scope; with the fields that nobody asked for.
///
/// # Errors
/// The command's own.
pub async fn run(asker: Asker<'_>, scope: Scope, request: &Request) -> Result<(Done, Vec<String>), Refusal> {
    let data = request.data.clone().ok_or_else(|| Refusal::SyntaxError("data".into()))?;
    let mut fields = Fields::new(data);
    let cmd = request.cmd.as_str();
    if Scope::of(request) != scope {
        return Err(Refusal::NotImplemented);
    }
    let done = match scope {
        Scope::User => user::run(asker, cmd, &mut fields).await?,
        Scope::Conversation => conversation::run(asker, cmd, &mut fields).await?,
        Scope::Message => message::run(asker, cmd, &mut fields).await?,
        Scope::Core if request.class == "core" => core::run(asker, request, &mut fields).await?,
        Scope::Core => {
            asker.caller()?;
            return Err(Refusal::NotImplemented);
        }
    };
    Ok((done, fields.unknown()))
}
