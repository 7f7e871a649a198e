//! `chat/user` of `/nkchat`
//!
//! Makes, shows, removes and finds users. Seed 002, "Use subclass user".

use dialects::nkchat::{error::Refusal, fields::Fields, id, search::Search, user};
use domain::{Dialect, Error, User, UserId, limits};
use serde_json::{Value, json};
use store::login::hash_password;

use super::{
    command::{Asker, Done, Scope},
    search, session, socket,
};
use crate::{
    endpoint::{Action, Endpoint},
    operations,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-user",
    Dialect::Nkchat,
    "chatuser",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| socket::answer(cx, call, Scope::User),
);

/// What a user that is not there is called.
const NO_USER: Error = Error::NotFound("User");

/// Does a command of this subclass.
///
/// # Errors
/// The command's own.
pub async fn run(asker: Asker<'_>, cmd: &str, fields: &mut Fields) -> Result<Done, Refusal> {
    asker.caller()?;
    match cmd {
        "create" => create(asker, fields).await,
        "get" => {
            let id = parse(&fields.needed_text("user_id")?)?;
            let found = asker.cx.store.user_now(&id).await?.ok_or(NO_USER)?;
            Ok(Done::with(Value::Object(user::fields(&found))))
        }
        "delete" => {
            let id = parse(&fields.needed_text("user_id")?)?;
            let caller = asker.powerful()?;
            operations::user::delete(asker.cx, caller, Dialect::Nkchat, &id).await?;
            // Who tells of it ends the sessions.
            Ok(Done::plainly())
        }
        "search" => {
            let search = Search::parse(fields)?;
            Ok(Done::with(search::users(asker.cx, &search).await?))
        }
        _ => Err(Refusal::NotImplemented),
    }
}

/// The user of that id; what is no id is nobody's.
pub(super) fn parse(id: &str) -> Result<UserId, Refusal> {
    UserId::parse(id).map_err(|_invalid| NO_USER.into())
}

async fn create(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    let text = |text: String, name: &str| {
        let fits = !text.is_empty() && text.len() <= limits::ID_BYTES && !text.chars().any(char::is_control);
        if fits { Ok(text) } else { Err(Refusal::SyntaxError(name.to_owned())) }
    };
    let login = text(fields.needed_text("login")?, "login")?;
    let name = text(fields.needed_text("name")?, "name")?;
    let surname = fields.text("surname")?.map(|surname| text(surname, "surname")).transpose()?;
    let password = fields.needed_text("password")?;
    if password.is_empty() || password.len() > limits::PROFILE_BYTES {
        return Err(Refusal::SyntaxError("password".into()));
    }
    asker.powerful()?;
    let cx = asker.cx;
    let hash = hash_password(&password).await?;
    let new = UserId::trusted(id::base62(session::random()?));
    let number = cx.store.draw_user_number().await?;
    let made = User {
        name: user::full_name(&name, surname.as_deref()),
        surname,
        email: Some(login.clone()),
        ..User::new(new, number, cx.clock.now())
    };
    // As on the original, a login may be the id of somebody who is only named.
    if cx.store.is_another_s_login(&login, &made.id, false).await? {
        return Err(operations::user::OTHER_S_LOGIN.into());
    }
    if !cx.store.create_user(&made, Some(&hash)).await? {
        return Err(operations::user::OTHER_S_LOGIN.into());
    }
    Ok(Done::with(json!({ "user_id": made.id })))
}
