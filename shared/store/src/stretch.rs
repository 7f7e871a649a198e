//! A stretch of sorted ids, as an audience is cut into.

use serde::{Deserialize, Serialize};

/// A stretch of sorted ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Stretch {
    /// The first one; none: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The one behind the last; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Stretch {
    /// Whether the id lies in it.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.from.as_deref().is_none_or(|from| from <= id) && self.to.as_deref().is_none_or(|to| id < to)
    }

    /// The stretches between these cuts.
    #[must_use]
    pub fn between(cuts: &[String]) -> Vec<Self> {
        let from = std::iter::once(None).chain(cuts.iter().cloned().map(Some));
        let to = cuts.iter().cloned().map(Some).chain(std::iter::once(None));
        from.zip(to).map(|(from, to)| Self { from, to }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_leave_nobody_out_and_nobody_twice() {
        let cuts = ["bob".to_owned(), "dan".to_owned()];
        let stretches = Stretch::between(&cuts);
        assert_eq!(stretches.len(), 3);
        for id in ["", "ann", "bob", "bobby", "cat", "dan", "zoe", "ä"] {
            let places: Vec<usize> = (0..3).filter(|at| stretches[*at].contains(id)).collect();
            assert_eq!(places.len(), 1, "{id}: {places:?}");
        }
        assert!(stretches[1].contains("bob") && !stretches[1].contains("dan"));
        assert_eq!(Stretch::between(&[]), [Stretch::default()]);
    }
}
