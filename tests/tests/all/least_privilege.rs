//! What functions may do and were never seen to do: either a test is missing, or the policy allows too much.
//!
//! That no function does *more* than it may is asserted by every test with a server, at its end.

use std::{fmt::Write as _, path::Path};

use tests::access::unused_access;

use crate::harness::recorder::whole_run;

const GOLDEN: &str = "golden/granted-and-never-used.txt";

/// Run after all others: `.ci/run tests`. `UPDATE_GOLDEN=1` writes the list.
///
/// An action that only a lost race or a fault calls for may be used in one run and not in the next: the list may
/// name more than this run left unused, never less.
#[test]
#[ignore = "looks at a whole run, whose folder SWITCHBOARD_TEST_RECORD names"]
fn what_is_granted_and_never_used_is_listed() {
    let recorded = whole_run().expect("SWITCHBOARD_TEST_RECORD names a folder");
    let never_called: Vec<_> = handlers::endpoints()
        .into_iter()
        .map(|one| one.name)
        .filter(|name| !recorded.contains_key(*name))
        .collect();
    let mut lines = String::new();
    for (endpoint, actions) in unused_access(&recorded) {
        for action in actions {
            writeln!(lines, "{endpoint}\t{action}").unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value != "0") {
        std::fs::write(&path, &lines).unwrap();
    }
    println!("functions that never asked AWS for anything: {}", never_called.join(", "));
    let golden = std::fs::read_to_string(&path).unwrap();
    let unlisted: Vec<_> = lines.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
    assert!(
        unlisted.is_empty(),
        "granted and never used, and not in tests/{GOLDEN}:\n{}",
        unlisted.join("\n")
    );
}
