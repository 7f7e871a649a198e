//! The query values by which messages are filtered: the same for list and count.

use std::collections::BTreeSet;

use dialects::channelize::message::kind_of;
use domain::{Error, MessageId, UserId};

use super::request::Request;
use crate::operations::history::Filter;

/// Ids of one query.
const MOST_IDS: usize = 200;

/// The filter that the query says.
///
/// # Errors
/// [`Error::Invalid`], naming the value.
pub fn filter(request: &Request) -> Result<Filter, Error> {
    let ids = request.list("ids").map(|ids| {
        if ids.len() > MOST_IDS {
            return Err(Error::invalid("ids", format!("has more than {MOST_IDS} ids")));
        }
        ids.into_iter().map(MessageId::parse).collect::<Result<Vec<_>, _>>()
    });
    let kinds = request.list("types").map(|types| {
        let kind = |word| kind_of(word).ok_or_else(|| Error::invalid("types", "has a type that is none"));
        types.into_iter().map(kind).collect::<Result<Vec<_>, _>>()
    });
    let texts = |name: &str| -> Option<BTreeSet<String>> {
        request.list(name).map(|items| items.into_iter().map(str::to_owned).collect())
    };
    let authors = request
        .list("ownerIds")
        .map(|ids| ids.into_iter().map(UserId::parse).collect::<Result<BTreeSet<_>, _>>());
    Ok(Filter {
        ids: ids.transpose()?,
        kinds: kinds.transpose()?,
        custom_types: texts("customTypes"),
        attachment_types: texts("attachmentTypes"),
        authors: authors.transpose()?,
        parent: request.query("parentId").map(MessageId::parse).transpose()?,
        in_conversation: request.boolean("showInConversation")?,
        pinned: request.boolean("pinned")?,
        system: true,
    })
}
