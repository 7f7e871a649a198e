//! Channelize's v2 REST API: one file per endpoint.
//!
//! `request` is what they are asked, `show` what they answer with; `body`, `filter`, `profile`, `relations`,
//! `find_conversations` and `token` are what several of them share.

pub mod add_admin;
pub mod add_friend;
pub mod add_members;
pub mod add_reaction;
pub mod ban_users;
pub mod block_user;
pub mod body;
pub mod broadcast_messages;
pub mod check_relationship_status;
pub mod clear_conversation;
pub mod count_blocks;
pub mod count_conversations;
pub mod count_friends;
pub mod count_messages;
pub mod count_unread_messages;
pub mod create_access_token;
pub mod create_conversation;
pub mod create_guest;
pub mod create_user;
pub mod delete_conversation;
pub mod delete_messages;
pub mod delete_messages_for_everyone;
pub mod filter;
pub mod find_conversations;
pub mod forward_messages;
pub mod get_conversation;
pub mod get_user;
pub mod join_conversation;
pub mod leave_conversation;
pub mod list_bans;
pub mod list_blocks;
pub mod list_conversations;
pub mod list_friends;
pub mod list_members;
pub mod list_messages;
pub mod list_reactions;
pub mod list_users;
pub mod list_watchers;
pub mod login;
pub mod logout;
pub mod mark_as_read;
pub mod pin_message;
pub mod profile;
pub mod relations;
pub mod remove_admin;
pub mod remove_friend;
pub mod remove_members;
pub mod remove_reaction;
pub mod request;
pub mod send_message;
pub mod send_typing_status;
pub mod show;
pub mod start_watching;
pub mod stop_watching;
pub mod token;
pub mod unban_users;
pub mod unblock_user;
pub mod unpin_message;
pub mod update_conversation;
pub mod update_conversation_profile;
pub mod update_conversation_settings;
pub mod update_conversation_title;
pub mod update_user;
pub mod verify_access_token;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![
        &list_messages::ENDPOINT,
        &count_messages::ENDPOINT,
        &send_message::ENDPOINT,
        &add_reaction::ENDPOINT,
        &remove_reaction::ENDPOINT,
        &list_reactions::ENDPOINT,
        &pin_message::ENDPOINT,
        &unpin_message::ENDPOINT,
        &broadcast_messages::ENDPOINT,
        &forward_messages::ENDPOINT,
        &mark_as_read::ENDPOINT,
        &delete_messages::ENDPOINT,
        &delete_messages_for_everyone::ENDPOINT,
        &count_unread_messages::ENDPOINT,
        &create_conversation::ENDPOINT,
        &get_conversation::ENDPOINT,
        &update_conversation::ENDPOINT,
        &update_conversation_title::ENDPOINT,
        &update_conversation_profile::ENDPOINT,
        &update_conversation_settings::ENDPOINT,
        &join_conversation::ENDPOINT,
        &leave_conversation::ENDPOINT,
        &add_members::ENDPOINT,
        &remove_members::ENDPOINT,
        &add_admin::ENDPOINT,
        &remove_admin::ENDPOINT,
        &list_members::ENDPOINT,
        &clear_conversation::ENDPOINT,
        &delete_conversation::ENDPOINT,
        &ban_users::ENDPOINT,
        &unban_users::ENDPOINT,
        &list_bans::ENDPOINT,
        &send_typing_status::ENDPOINT,
        &start_watching::ENDPOINT,
        &stop_watching::ENDPOINT,
        &list_watchers::ENDPOINT,
        &list_conversations::ENDPOINT,
        &count_conversations::ENDPOINT,
        &create_user::ENDPOINT,
        &get_user::ENDPOINT,
        &update_user::ENDPOINT,
        &list_users::ENDPOINT,
        &create_access_token::ENDPOINT,
        &login::ENDPOINT,
        &verify_access_token::ENDPOINT,
        &logout::ENDPOINT,
        &create_guest::ENDPOINT,
        &block_user::ENDPOINT,
        &unblock_user::ENDPOINT,
        &add_friend::ENDPOINT,
        &remove_friend::ENDPOINT,
        &list_friends::ENDPOINT,
        &count_friends::ENDPOINT,
        &list_blocks::ENDPOINT,
        &count_blocks::ENDPOINT,
        &check_relationship_status::ENDPOINT,
    ]
}
