//! The table itself, and its place in `docs/compatibility.md`.
//!
//! Columns stand in the order of [`Dialect::ALL`]: channelize, channels, channelstream, events, nkchat. `M` is the
//! message, `P` what it replies to; what is empty is nothing.

use std::fmt::Write as _;

use domain::Dialect;

use super::drivers::{Action, lack};

/// What each dialect must show of an action, whichever dialect it was done in.
pub(super) struct Case {
    pub(super) action: Action,
    /// What the action is called in the documentation.
    pub(super) title: &'static str,
    /// What each dialect's client hears.
    pub(super) hears: [&'static str; 5],
    /// What each dialect's client reads then.
    pub(super) reads: [&'static str; 5],
}

const NO_SOCKET: &str = "";
const IN: [&str; 5] = ["tom is in", "tom is in", "", "", "tom is in"];
const OUT: [&str; 5] = ["tom is not in", "tom is not in", "", "", "tom is not in"];

pub(super) const CASES: &[Case] = &[
    Case {
        action: Action::Send("hello"),
        title: "send",
        hears: [
            NO_SOCKET,
            "channel_message M ann \"hello\"",
            "message M ann \"hello\"",
            "TextMessagesCreated M ann \"hello\", RoomUpdated M",
            "created_message M",
        ],
        reads: ["M ann \"hello\""; 5],
    },
    Case {
        action: Action::Edit("hi"),
        title: "edit",
        hears: [
            NO_SOCKET,
            "message_updated M \"hi\"",
            "message:edit M ann \"hi\"",
            "TextMessagesUpdated M ann \"hi\"",
            "updated_message M",
        ],
        reads: ["M ann \"hi\""; 5],
    },
    Case {
        action: Action::Delete,
        title: "delete, recall",
        hears: [
            NO_SOCKET,
            "message_deleted M",
            "message:delete M",
            "TextMessageDeleted M, RoomUpdated",
            "deleted_message M",
        ],
        reads: ["M ann isDeleted", "nothing", "nothing", "nothing", "obj_not_found"],
    },
    Case {
        action: Action::Reply("yes"),
        title: "reply, comment",
        hears: [
            NO_SOCKET,
            "message_reply M to P ann \"yes\"",
            "message M ann \"yes\"",
            "TextMessagesCreated M to P ann \"yes\", TextMessagesUpdated P ann \"before\" (1), RoomUpdated M",
            "created_message M",
        ],
        reads: [
            "M to P ann \"yes\"",
            "M to P ann \"yes\"",
            "M ann \"yes\"",
            "M to P ann \"yes\"",
            "M ann \"yes\"",
        ],
    },
    Case {
        action: Action::Join,
        title: "join",
        hears: [NO_SOCKET, "member_joined tom", "", "", "added_memebers tom"],
        reads: IN,
    },
    Case {
        action: Action::Add,
        title: "add somebody",
        hears: [NO_SOCKET, "member_joined tom", "", "", "added_memebers tom"],
        reads: IN,
    },
    Case {
        action: Action::Leave,
        title: "leave",
        hears: [NO_SOCKET, "member_left tom", "", "", "removed_memebers tom"],
        reads: OUT,
    },
    Case {
        action: Action::Remove,
        title: "remove somebody",
        hears: [NO_SOCKET, "member_left tom", "", "", "removed_memebers tom"],
        reads: OUT,
    },
    Case {
        action: Action::Kick,
        title: "kick",
        hears: [NO_SOCKET, "user_kicked tom", "", "", "removed_memebers tom"],
        reads: OUT,
    },
    Case {
        action: Action::Ban,
        title: "ban",
        hears: [NO_SOCKET, "user_banned tom \"spam\"", "", "", "removed_memebers tom"],
        reads: OUT,
    },
];

const BEGIN: &str = "<!-- journeys: written by `UPDATE_GOLDEN=1 cargo test -p tests across` -->\n";
const END: &str = "<!-- end of journeys -->\n";

/// The reasons why something is not there, numbered as they are met.
struct Notes(Vec<&'static str>);

impl Notes {
    /// A dash with the number of the reason.
    fn dash(&mut self, reason: &'static str) -> String {
        let at = self.0.iter().position(|one| *one == reason).unwrap_or_else(|| {
            self.0.push(reason);
            self.0.len() - 1
        });
        format!("–<sup>{}</sup>", at + 1)
    }
}

/// Why a dialect's client hears nothing of an action.
const fn silence(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channelize => "it has no socket here: its clients read",
        Dialect::Channelstream => "it subscribes connections, and has no members",
        Dialect::Events => {
            "it shows a room to its members only, and not who they are: Tom himself gets `RoomCreated`, `RoomDeleted`"
        }
        Dialect::Channels | Dialect::Nkchat => "it has no word for it",
    }
}

/// The table as the documentation has it.
pub(super) fn markdown() -> String {
    let mut notes = Notes(Vec::new());
    let mut text = String::from("| |");
    for dialect in Dialect::ALL {
        write!(text, " {} |", dialect.name()).unwrap();
    }
    text.push_str("\n|---|---|---|---|---|---|\n");
    for case in CASES {
        write!(text, "| **{}** |", case.title).unwrap();
        for dialect in Dialect::ALL {
            let cell = lack(dialect, case.action).map_or_else(|| "yes".to_owned(), |why| notes.dash(why));
            write!(text, " {cell} |").unwrap();
        }
        for (what, cells) in [("heard", case.hears), ("read", case.reads)] {
            write!(text, "\n| {what} |").unwrap();
            for (dialect, cell) in Dialect::ALL.into_iter().zip(cells) {
                let cell = match (cell, what) {
                    ("", "heard") => notes.dash(silence(dialect)),
                    ("", _) => notes.dash("it lists no members"),
                    (words, _) => {
                        words.split(", ").map(|one| format!("`{one}`")).collect::<Vec<_>>().join("<br>")
                    }
                };
                write!(text, " {cell} |").unwrap();
            }
        }
        text.push('\n');
    }
    for (at, reason) in notes.0.iter().enumerate() {
        let line_end = if at == 0 { "\n" } else { "<br>\n" };
        write!(text, "{line_end}<sup>{}</sup> {reason}", at + 1).unwrap();
    }
    text + "\n"
}

/// The documentation has the table as it is; with `UPDATE_GOLDEN=1` it gets it.
pub(super) fn assert_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compatibility.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the marker of the table's beginning");
    let (stands, after) = rest.split_once(END).expect("the marker of the table's end");
    let due = markdown();
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value != "0") {
        std::fs::write(path, format!("{before}{BEGIN}{due}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(stands, due, "UPDATE_GOLDEN=1 cargo test -p tests across writes the table");
}
