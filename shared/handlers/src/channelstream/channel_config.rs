//! POST /channel_config
//!
//! Sets how channels behave; what is not said is reset. Channels that there are not come into being. Wire page,
//! Endpoints.

use std::sync::Arc;

use dialects::channelstream::request::{self, Wanted};
use domain::{ConversationId, Dialect, Seq};
use http::Method;

use super::{
    attendance,
    request::{Refusal, answer, body, conversation, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-channel-config",
    Dialect::Channelstream,
    Method::POST,
    "/channel_config",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let configs = request::channel_config(&body(&call)?)?;
    let mut channels: Vec<ConversationId> = Vec::with_capacity(configs.len());
    for (name, settings) in configs {
        let id = conversation(&name);
        let conversation = attendance::open(&cx, &id).await?;
        let mut channel = attendance::channel(&cx, &conversation, settings).await?;
        if let Some(settings) = settings.filter(|settings| channel.settings != *settings) {
            let tail = cx.store.tail(conversation.number).await?;
            channel.configure(settings, tail.map_or(Seq(1), |tail| tail.next()));
            cx.store.put_channel(&id, &channel).await?;
        }
        channels.push(id);
    }
    let wanted = Wanted { include_history: false, include_users: false, ..Wanted::default() };
    reply(&show::channels_info(&cx, &channels, &wanted).await?)
}
