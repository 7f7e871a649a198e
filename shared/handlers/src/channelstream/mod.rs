//! Channelstream's server API and its socket: one file per endpoint.
//!
//! `request` is what they are asked and how they answer, `show` what they tell of channels, `history` what those keep, `attendance` who listens
//! to what, `outreach` what sending, editing and deleting share, `frames` what listeners are told, `catch_up` what they missed, `statistics` what
//! is counted.
//!
//! A channel is a conversation of that name; one that nobody created is an open one. A connection ("listener") is
//! made by REST before it has a socket: it is an item of the table, subscribes to topics as the connections of other
//! dialects do, and gets the id of its socket at `$connect`.

pub mod admin_json;
pub mod attendance;
pub mod catch_up;
pub mod channel_config;
pub mod connect;
pub mod delete_messages;
pub mod disconnect;
pub mod edit_messages;
pub mod frames;
pub mod get_disconnect;
pub mod get_info;
pub mod history;
pub mod info;
pub mod listen;
pub mod outreach;
pub mod post_admin_json;
pub mod request;
pub mod send_messages;
pub mod show;
pub mod socket_connect;
pub mod socket_default;
pub mod socket_disconnect;
pub mod statistics;
pub mod subscribe;
pub mod unsubscribe;
pub mod user_state;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![
        &connect::ENDPOINT,
        &subscribe::ENDPOINT,
        &unsubscribe::ENDPOINT,
        &user_state::ENDPOINT,
        &send_messages::ENDPOINT,
        &edit_messages::ENDPOINT,
        &delete_messages::ENDPOINT,
        &channel_config::ENDPOINT,
        &info::ENDPOINT,
        &get_info::ENDPOINT,
        &disconnect::ENDPOINT,
        &get_disconnect::ENDPOINT,
        &listen::ENDPOINT,
        &admin_json::ENDPOINT,
        &post_admin_json::ENDPOINT,
        &socket_connect::ENDPOINT,
        &socket_disconnect::ENDPOINT,
        &socket_default::ENDPOINT,
    ]
}
