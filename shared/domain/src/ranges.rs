//! A set of seqs as ranges: `1-5,7,9-12`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::Seq;

/// Seqs, kept as disjoint ranges in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Whether `seq` is in it.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        let after = self.0.partition_point(|&(from, _)| from <= seq.0);
        after.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|&(_, to)| seq.0 <= to)
    }

    /// Adds all from `from` to `to`, both included.
    pub fn insert(&mut self, from: Seq, to: Seq) {
        if to < from {
            return;
        }
        let (mut from, mut to) = (from.0, to.0);
        self.0.retain(|&(low, high)| {
            let apart = high.saturating_add(1) < from || low > to.saturating_add(1);
            if !apart {
                from = from.min(low);
                to = to.max(high);
            }
            apart
        });
        let at = self.0.partition_point(|&(low, _)| low < from);
        self.0.insert(at, (from, to));
    }

    /// The ranges in order, both ends included.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, Seq)> + '_ {
        self.0.iter().map(|&(from, to)| (Seq(from), Seq(to)))
    }

    /// How far it goes from the very first seq on without a gap; 0 if the first is not in it.
    #[must_use]
    pub fn beginning(&self) -> Seq {
        self.0.first().filter(|&&(from, _)| from <= 1).map_or(Seq(0), |&(_, to)| Seq(to))
    }

    /// How many ranges it takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Ranges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|&(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
            .collect();
        serializer.serialize_str(&parts.join(","))
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut ranges = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse().map(Seq).map_err(serde::de::Error::custom);
            ranges.insert(number(from)?, number(to)?);
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_merge_and_survive_their_text() {
        let mut ranges = Ranges::default();
        for seq in [9, 1, 2, 3, 7, 10, 12, 11] {
            ranges.insert(Seq(seq), Seq(seq));
        }
        let text = serde_json::to_string(&ranges).unwrap();
        assert_eq!(text, r#""1-3,7,9-12""#);
        assert_eq!(serde_json::from_str::<Ranges>(&text).unwrap(), ranges);
        let inside: Vec<u64> = (0..15).filter(|&seq| ranges.contains(Seq(seq))).collect();
        assert_eq!(inside, [1, 2, 3, 7, 9, 10, 11, 12]);
        assert_eq!(ranges.beginning(), Seq(3));
        let mut later = Ranges::default();
        assert_eq!(later.beginning(), Seq(0));
        later.insert(Seq(2), Seq(9));
        assert_eq!(later.beginning(), Seq(0));
        ranges.insert(Seq(2), Seq(11));
        assert_eq!(serde_json::to_string(&ranges).unwrap(), r#""1-12""#);
    }
}
