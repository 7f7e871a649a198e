//! What a message says where it is shown: a text that it had, that its reader was not shut out from, and none that was
//! replaced before.

use std::collections::BTreeMap;

use super::{log::Event, oracle::Oracle, oracle::Sight};

/// Since which entry the message says this; none if it never did.
fn since(oracle: &Oracle, message: u64, text: &str) -> Option<u64> {
    let texts = oracle.log().texts.get(&message)?;
    texts.iter().find(|(_, said)| said == text).map(|(since, _)| *since)
}

/// Why the user must not be shown this text of a message at that time; none if that is all right.
#[must_use]
pub fn forbidden(oracle: &Oracle, user: &str, (message, text): (u64, &str), at: u64) -> Option<String> {
    let Some(since) = since(oracle, message, text) else {
        // What was taken back says nothing, whatever is still told of it.
        if text.is_empty() && oracle.recalled_since(message).is_some_and(|since| since <= at) {
            return None;
        }
        return Some(format!("{message} never said {text:?}"));
    };
    let edit = oracle.log().entries.get(&since).filter(|_| since != message)?;
    let may = oracle.might_read(user, edit.committed, at);
    (!may).then(|| format!("{message} says {text:?} since {since}, behind a closed door"))
}

/// Whether the text had been replaced at that time.
#[must_use]
pub fn is_stale(oracle: &Oracle, message: u64, text: &str, at: u64) -> bool {
    let mut newest = oracle.log().texts.get(&message).into_iter().flatten();
    let newest = newest.rfind(|(since, _)| *since <= oracle.tail(at)).map(|(since, _)| *since);
    since(oracle, message, text) < newest
}

/// Whether the text is older than the edit that it is shown for.
#[must_use]
pub fn is_before(oracle: &Oracle, message: u64, text: &str, edit: u64) -> bool {
    since(oracle, message, text).is_some_and(|since| since < edit)
}

/// Of the messages that a socket was shown, with the text of the last time, those that say something else since an edit
/// that the user is to see; and that edit.
#[must_use]
pub fn outdated(oracle: &Oracle, user: &str, shown: &BTreeMap<u64, String>) -> Vec<(u64, u64)> {
    let edits = oracle.log().entries.values().filter_map(|entry| match &entry.event {
        Event::About { what, seq, .. } if what == "message_edited" => Some((*seq, entry.seq)),
        _ => None,
    });
    edits
        .filter(|(message, edit)| {
            oracle.sight(user, *edit) == Sight::Must
                && !oracle.is_recalled(*message)
                && shown.get(message).is_some_and(|text| is_before(oracle, *message, text, *edit))
        })
        .collect()
}
