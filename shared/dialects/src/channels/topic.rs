//! Topics as a client spells them: `channel:<id>`, `user:<id>`, `global`. Seed 001, 1.

use domain::{ConversationId, Error, Topic, UserId};

/// The topic that the text names.
///
/// # Errors
/// [`Error::Invalid`].
pub fn parse(text: &str) -> Result<Topic, Error> {
    let malformed = || Error::invalid("channels", "must name channel:<id>, user:<id> or global");
    match text.split_once(':') {
        Some(("channel", id)) => ConversationId::parse(id).map(Topic::Conversation),
        Some(("user", id)) => UserId::parse(id).map(Topic::User),
        _ if text == "global" => Ok(Topic::Global),
        _ => return Err(malformed()),
    }
    .map_err(|_invalid| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_have_colons_and_nothing_else_is_a_topic() {
        let id = |id| Topic::Conversation(ConversationId::trusted(id));
        assert_eq!(parse("channel:a").unwrap(), id("a"));
        assert_eq!(parse("channel:a:b").unwrap(), id("a:b"));
        assert_eq!(parse("user:bob").unwrap(), Topic::User(UserId::trusted("bob")));
        assert_eq!(parse("global").unwrap(), Topic::Global);
        for wrong in
            ["", "channel", "channel:", "user:", "global:", "Global", "room:1", "channel:\u{1}global"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
