//! What a user may do in a room: 24 switches. Two pairs of them are spelled one way by the documentation and
//! another by the official client; both are sent.

use std::collections::BTreeMap;

/// For who may write: messages, comments and files, and to change the own ones.
const WRITING: [&str; 8] = [
    "canAttachOrDeleteFilesInOwnMessagesInDiscussion",
    "canAttachOrDeleteFilesInOwnMessagesInMainThread",
    "canEditOrDeleteOwnMessagesInDiscussion",
    "canEditOrDeleteOwnMessagesInMainThread",
    "canSendFilesIntoRoomInDiscussion",
    "canSendFilesIntoRoomInMainThread",
    "canSendMessagesInDiscussion",
    "canSendMessagesInMainThread",
];

/// For who may look into the room. The last two are the official client's spelling.
const READING: [&str; 5] = [
    "uiCanSeeRoomSidebar",
    "uiCanSeeWhoReadMessageInDiscussion",
    "uiCanSeeWhoReadMessageInMainThread",
    "uiCanSeeWhoReadMessagesInDiscussion",
    "uiCanSeeWhoReadMessagesInMainThread",
];

/// For nobody: this API has no call for it. The last two are the official client's spelling.
const ABSENT: [&str; 15] = [
    "canChangePropertiesOfUnrelatedIssues",
    "canCreateIssues",
    "canCreateMeetings",
    "canIntercomListen",
    "canIntercomStreamVideo",
    "canIntercomTalk",
    "canIntercomWatchVideo",
    "canReactToMessagesWithEmojiInDiscussion",
    "canReactToMessagesWithEmojiInMainThread",
    "canRecordMeetings",
    "canSendNudge",
    "canShareScreen",
    "canUseIntercom",
    "canReactToTextMessagesWithEmojiInDiscussion",
    "canReactToTextMessagesWithEmojiInMainThread",
];

/// The switches by name, of somebody who may look into the room.
#[must_use]
pub fn permissions(may_write: bool) -> BTreeMap<&'static str, bool> {
    let writing = WRITING.iter().map(|name| (*name, may_write));
    let reading = READING.iter().map(|name| (*name, true));
    let absent = ABSENT.iter().map(|name| (*name, false));
    writing.chain(reading).chain(absent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_24_and_four_in_another_spelling() {
        assert_eq!(permissions(true).len(), 24 + 4);
    }
}
