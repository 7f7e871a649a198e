//! Topics and their events: the socket at `/realtime`, and the REST under `/channels`. One file per endpoint.
//!
//! `socket` is what the socket's endpoints are asked, `request` and `show` what those of the REST are asked and
//! answer with; `resume` is what `subscribe` does; `frames` is what delivery asks.

pub mod add_member;
pub mod ban_user;
pub mod connect;
pub mod create_channel;
pub mod default;
pub mod delete_channel;
pub mod delete_message;
pub mod disconnect;
pub mod edit_message;
pub mod frames;
pub mod get_channel;
pub mod kick_user;
pub mod list_bans;
pub mod list_channels;
pub mod list_members;
pub mod list_messages;
pub mod list_replies;
pub mod ping;
pub mod remove_member;
pub mod request;
pub mod resume;
pub mod send_message;
pub mod send_reply;
pub mod send_typing;
pub mod show;
pub mod socket;
pub mod subscribe;
pub mod typing;
pub mod unban_user;
pub mod unsubscribe;
pub mod update_channel;
pub mod update_member;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![
        &connect::ENDPOINT,
        &disconnect::ENDPOINT,
        &default::ENDPOINT,
        &subscribe::ENDPOINT,
        &unsubscribe::ENDPOINT,
        &typing::ENDPOINT,
        &ping::ENDPOINT,
        &create_channel::ENDPOINT,
        &list_channels::ENDPOINT,
        &get_channel::ENDPOINT,
        &update_channel::ENDPOINT,
        &delete_channel::ENDPOINT,
        &list_members::ENDPOINT,
        &add_member::ENDPOINT,
        &update_member::ENDPOINT,
        &remove_member::ENDPOINT,
        &list_bans::ENDPOINT,
        &ban_user::ENDPOINT,
        &unban_user::ENDPOINT,
        &kick_user::ENDPOINT,
        &list_messages::ENDPOINT,
        &send_message::ENDPOINT,
        &edit_message::ENDPOINT,
        &delete_message::ENDPOINT,
        &list_replies::ENDPOINT,
        &send_reply::ENDPOINT,
        &send_typing::ENDPOINT,
    ]
}
