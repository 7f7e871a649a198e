//! DELETE /message
//!
//! Deletes messages, also from the history. Seed 000, Delete message. A deletion of what is not there is told all the
//! same. The body of a DELETE passes API Gateway.

use std::sync::Arc;

use dialects::channelstream::{
    event,
    message::audience,
    order::Echo,
    request::{self, Delivery},
    schema,
};
use domain::{Dialect, MessageId, Object};
use http::Method;

use super::{
    outreach,
    request::{Refusal, answer, body, reply},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
    operations::relay::Revision,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-delete-messages",
    Dialect::Channelstream,
    Method::DELETE,
    "/message",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let asked = schema::many(&body(&call)?, request::delete)?;
    for (delivery, uuid) in &asked {
        revision(delivery, uuid).check()?;
    }
    for (channel, group) in
        outreach::by_channel(asked.iter().map(|(delivery, _)| delivery.channel.as_deref()))
    {
        let group: Vec<&(Delivery, String)> = group.iter().filter_map(|index| asked.get(*index)).collect();
        let Some(name) = channel else {
            for (delivery, uuid) in group {
                let event = event::deleted(None, uuid);
                outreach::tell_users(&cx, &delivery.pm_users, &event, cx.clock.now()).await?;
            }
            continue;
        };
        let revisions: Vec<Revision> =
            group.iter().map(|(delivery, uuid)| revision(delivery, uuid)).collect();
        let told = |index: usize, _| {
            let (delivery, uuid) = group.get(index)?;
            Some((delivery, event::deleted(Some(name), uuid)))
        };
        outreach::revise(&cx, name, &revisions, told).await?;
    }
    let echoes = asked.iter().map(|(delivery, uuid)| Echo(outreach::echo(delivery, uuid)));
    reply(&echoes.collect::<Vec<Echo>>())
}

fn revision(delivery: &Delivery, uuid: &str) -> Revision {
    Revision {
        id: MessageId::trusted(uuid),
        audience: audience(&delivery.pm_users, &delivery.exclude_users),
        wire: Object::new(),
        rewrite: None,
    }
}
