//! Limits on everything that a caller can grow, with their reasons.

/// Bytes of an id. DynamoDB's partition key may have 2,048; a prefix and room are left.
pub const ID_BYTES: usize = 256;
/// Bytes of a message as stored JSON: its frame must fit API Gateway's 128 KB.
pub const MESSAGE_BYTES: usize = 100_000;
/// Bytes of a conversation's or a user's own fields together, so that lists of them stay cheap to read.
pub const PROFILE_BYTES: usize = 16_000;
/// Users that one message names as its recipients, and users that one call adds or removes.
pub const USERS_PER_CALL: usize = 1_000;
/// Messages or conversations that one call names.
pub const TARGETS_PER_CALL: usize = 100;
/// Bytes of a reaction's type.
pub const REACTION_BYTES: usize = 64;
/// Reactions that one message keeps, all types together: they stand in its item, which DynamoDB ends at 400 KB.
pub const REACTIONS_PER_MESSAGE: usize = 1_000;
/// Bytes of what has become of a message, as stored JSON: with the message itself it stands in one item of 400 KB.
pub const STATE_BYTES: usize = 200_000;
/// Ranges of a member's own-copy deletes or absences. Further absences are merged, which hides more, never less.
pub const RANGES_PER_MEMBER: usize = 2_000;
/// Entries of a log that are looked at to say what is unread and what was last said. A Query that DynamoDB ends
/// at one megabyte counts as all that it asked for: so it is 10 MB at most.
pub const ENTRIES_PER_GLANCE: usize = 20_000;
/// Entries of a log that one call looks at for a list or a count of messages; in the same way 52 MB at most, which
/// takes seconds. A function has 30.
pub const ENTRIES_PER_SEARCH: usize = 100_000;
/// Levels of nesting in a JSON body; below what serde_json itself refuses (128).
pub const JSON_DEPTH: usize = 64;
