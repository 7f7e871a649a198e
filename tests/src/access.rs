//! Least privilege, held against what was seen: an endpoint does what its `access` says, and nothing else.
//!
//! Who records the actions is not known here; a recording is a map from an endpoint's name to the IAM actions
//! that it was seen to use.

use std::collections::{BTreeMap, BTreeSet};

/// The actions that endpoints were seen to use, by the endpoint's name.
pub type Recorded = BTreeMap<String, BTreeSet<String>>;

/// Each recorded action is one that its endpoint declares.
///
/// # Panics
/// Names every action that AWS would refuse, and every name that is no endpoint's.
pub fn assert_within_access(recorded: &Recorded) {
    let declared = declared();
    let mut faults = Vec::new();
    for (name, actions) in recorded {
        match declared.get(name) {
            None => faults.push(format!("{name} is not an endpoint")),
            Some(access) => faults.extend(
                actions
                    .difference(access)
                    .map(|action| format!("{name} used {action}, which its access lacks")),
            ),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What endpoints of the recording declare and were not seen to use: too much access, or too few tests.
///
/// An endpoint that was never called says nothing about its access and is left out.
#[must_use]
pub fn unused_access(recorded: &Recorded) -> Recorded {
    let mut unused = declared();
    unused.retain(|name, access| match recorded.get(name) {
        Some(actions) => {
            access.retain(|action| !actions.contains(action));
            !access.is_empty()
        }
        None => false,
    });
    unused
}

fn declared() -> Recorded {
    let actions = |access: &[handlers::endpoint::Action]| access.iter().map(|a| a.iam().to_owned()).collect();
    handlers::endpoints().into_iter().map(|it| (it.name.to_owned(), actions(it.access))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_may_be_used() {
        let declared = declared();
        assert_within_access(&declared);
        assert_eq!(unused_access(&declared), Recorded::new());
    }

    #[test]
    #[should_panic(expected = "nobody is not an endpoint")]
    fn what_no_endpoint_is_named_may_do_nothing() {
        assert_within_access(&Recorded::from([("nobody".to_owned(), BTreeSet::new())]));
    }
}
