//! What things are called.
//!
//! A conversation, a user and a message have string ids, their own or their client's choice. Conversations and
//! users also have a [`Number`]; an entry has its [`Seq`]; the two together are a [`Place`]. A message id that
//! Switchboard mints is a UUIDv8 that carries the place, so finding the message needs no index.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{error::Error, limits};

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id if it is one: 1 to 256 bytes without control characters.
            ///
            /// # Errors
            /// [`Error::Invalid`], naming the id's kind.
            pub fn parse(text: impl Into<String>) -> Result<Self, Error> {
                let text = text.into();
                if text.is_empty() || text.len() > limits::ID_BYTES || text.chars().any(char::is_control) {
                    return Err(Error::invalid(
                        $field,
                        format!("must have 1 to {} bytes and no control characters", limits::ID_BYTES),
                    ));
                }
                Ok(Self(text))
            }

            /// An id that is known to be one: minted here, or read from the table.
            #[must_use]
            pub fn trusted(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id!(
    /// Names a conversation: a channel name, a channel id, a conversation id, in each dialect's words.
    ConversationId, "conversationId"
);
string_id!(
    /// Names a user.
    UserId, "userId"
);
string_id!(
    /// Names a message: minted ([`MessageId::mint`]) or chosen by a client.
    MessageId, "messageId"
);

/// The number of a conversation or a user, drawn from a counter when it is made; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub u64);

/// The number of an entry in its conversation's log: 1, 2, 3, … without a gap. 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an entry stands: in which log, at which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The conversation's number.
    pub number: Number,
    /// The entry's number.
    pub seq: Seq,
}

const NUMBER_BITS: u32 = 40;
const SEQ_BITS: u32 = 40;
const NONCE_BITS: u32 = 42;
/// Of the 53 bits that a JSON number keeps exactly, these are the seq's; 26 are the conversation's number's.
const PACKED_SEQ_BITS: u32 = 27;

/// Random bits of an entry: they make a minted id unguessable enough not to be met by accident, and tell a
/// retried write of one's own from somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(u64);

impl Nonce {
    /// The low 42 bits.
    #[must_use]
    pub const fn new(random: u64) -> Self {
        Self(random & ((1 << NONCE_BITS) - 1))
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl MessageId {
    /// The id of the entry at `place`: a UUIDv8 of 40 bits of number, 40 bits of seq and 42 random bits.
    #[must_use]
    pub fn mint(place: Place, nonce: Nonce) -> Self {
        let number = u128::from(place.number.0) & ((1 << NUMBER_BITS) - 1);
        let seq = u128::from(place.seq.0) & ((1 << SEQ_BITS) - 1);
        let bits = (number << (SEQ_BITS + NONCE_BITS)) | (seq << NONCE_BITS) | u128::from(nonce.0);
        // 122 bits around the six that RFC 9562 fixes: 48, then the version, 12, then the variant, 62.
        let high = bits >> 74;
        let middle = (bits >> 62) & 0xfff;
        let low = bits & ((1 << 62) - 1);
        let uuid = (high << 80) | (0x8 << 76) | (middle << 64) | (0b10 << 62) | low;
        Self(Uuid::from_u128(uuid).to_string())
    }

    /// The place and random bits that a minted id carries. A client may have made such an id up: what stands
    /// at the place must bear the same random bits.
    #[must_use]
    pub fn place(&self) -> Option<(Place, Nonce)> {
        if self.0.len() != 36 {
            return None;
        }
        let uuid = Uuid::try_parse(&self.0).ok()?.as_u128();
        if (uuid >> 76) & 0xf != 0x8 || (uuid >> 62) & 0b11 != 0b10 {
            return None;
        }
        let bits = ((uuid >> 80) << 74) | (((uuid >> 64) & 0xfff) << 62) | (uuid & ((1 << 62) - 1));
        let part = |shift: u32, width: u32| u64::try_from((bits >> shift) & ((1 << width) - 1)).ok();
        let place = Place {
            number: Number(part(SEQ_BITS + NONCE_BITS, NUMBER_BITS)?),
            seq: Seq(part(NONCE_BITS, SEQ_BITS)?),
        };
        Some((place, Nonce(part(0, NONCE_BITS)?)))
    }
}

impl Place {
    /// The place as one number that JSON and JavaScript keep exactly (53 bits: 26 of number, 27 of seq). It
    /// grows with the seq. None where it does not fit: from the 67,108,864th conversation or the
    /// 134,217,728th entry of one on.
    #[must_use]
    pub fn packed(self) -> Option<u64> {
        (self.number.0 < 1 << (53 - PACKED_SEQ_BITS) && self.seq.0 < 1 << PACKED_SEQ_BITS)
            .then_some((self.number.0 << PACKED_SEQ_BITS) | self.seq.0)
    }

    /// The place that such a number stands for.
    #[must_use]
    pub const fn unpacked(packed: u64) -> Option<Self> {
        if packed >= 1 << 53 {
            return None;
        }
        Some(Self {
            number: Number(packed >> PACKED_SEQ_BITS),
            seq: Seq(packed & ((1 << PACKED_SEQ_BITS) - 1)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_carries_its_place() {
        for (number, seq, random) in
            [(1, 1, 0), (5, 700_000, u64::MAX), ((1 << 40) - 1, (1 << 40) - 1, 12_345)]
        {
            let place = Place { number: Number(number), seq: Seq(seq) };
            let id = MessageId::mint(place, Nonce::new(random));
            assert_eq!(id.place(), Some((place, Nonce::new(random))));
            let uuid = Uuid::parse_str(id.as_str()).unwrap();
            assert_eq!(uuid.get_version_num(), 8);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        }
        assert_eq!(MessageId::parse("5a928b10-4258-11ea-9c07-831a487bf6af").unwrap().place(), None);
        assert_eq!(MessageId::parse("not a uuid").unwrap().place(), None);
    }

    #[test]
    fn a_packed_place_grows_with_the_seq_and_comes_back() {
        let at = |seq| Place { number: Number(2), seq: Seq(seq) };
        assert!(at(2).packed() > at(1).packed());
        assert_eq!(Place::unpacked(at(9).packed().unwrap()), Some(at(9)));
        assert_eq!(Place { number: Number(1 << 26), seq: Seq(1) }.packed(), None);
        assert_eq!(Place { number: Number(1), seq: Seq(1 << 27) }.packed(), None);
        assert_eq!(Place::unpacked(1 << 53), None);
    }
}
