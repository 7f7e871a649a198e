//! Virola's Web API and its event stream: one file per endpoint.
//!
//! `request` is what they are asked, `session` who asks, `show` what they answer with; `frames` is what the
//! sockets are told.

pub mod avatar;
pub mod connect;
pub mod create_room;
pub mod default;
pub mod delete_attachment;
pub mod delete_message;
pub mod delete_room;
pub mod disconnect;
pub mod download_attachment;
pub mod edit_message;
pub mod frames;
pub mod get_attachment;
pub mod get_room_avatar;
pub mod get_room_permissions;
pub mod get_server_health;
pub mod get_status;
pub mod get_user_avatar;
pub mod list_comments;
pub mod list_messages;
pub mod list_rooms;
pub mod list_users;
pub mod login;
pub mod logout;
pub mod logout_by_get;
pub mod post_comment;
pub mod post_message;
pub mod post_text_message;
pub mod read_message;
pub mod request;
pub mod session;
pub mod show;
pub mod update_room;
pub mod upload_attachments;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![
        &login::ENDPOINT,
        &logout::ENDPOINT,
        &logout_by_get::ENDPOINT,
        &get_status::ENDPOINT,
        &list_users::ENDPOINT,
        &get_user_avatar::ENDPOINT,
        &list_rooms::ENDPOINT,
        &create_room::ENDPOINT,
        &update_room::ENDPOINT,
        &delete_room::ENDPOINT,
        &get_room_avatar::ENDPOINT,
        &get_room_permissions::ENDPOINT,
        &list_messages::ENDPOINT,
        &post_message::ENDPOINT,
        &post_text_message::ENDPOINT,
        &edit_message::ENDPOINT,
        &delete_message::ENDPOINT,
        &read_message::ENDPOINT,
        &list_comments::ENDPOINT,
        &post_comment::ENDPOINT,
        &upload_attachments::ENDPOINT,
        &get_attachment::ENDPOINT,
        &download_attachment::ENDPOINT,
        &delete_attachment::ENDPOINT,
        &get_server_health::ENDPOINT,
        &connect::ENDPOINT,
        &disconnect::ENDPOINT,
        &default::ENDPOINT,
    ]
}
