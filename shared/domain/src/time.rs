//! One clock: milliseconds since 1970, UTC.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as DynamoDB's TTL wants them.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment plus some seconds.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// So many milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// `2020-01-29T05:29:43.233Z`.
    #[must_use]
    pub fn to_iso(self) -> String {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(&format).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
    }

    /// Reads an RFC 3339 time of the years 0 to 9999, in UTC too, with any offset; a bare date is its midnight, UTC.
    #[must_use]
    pub fn from_iso(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
            let date = time::Date::parse(text, &format_description!("[year]-[month]-[day]")).ok()?;
            Some(date.midnight().assume_utc())
        })?;
        // An offset may lead out of the years that can be written.
        let at = at.checked_to_offset(UtcOffset::UTC).filter(|at| (0..=9999).contains(&at.year()))?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times_have_milliseconds_and_a_z() {
        let at = Timestamp::from_iso("2020-01-29T05:29:43.233Z").unwrap();
        assert_eq!(at.millis(), 1_580_275_783_233);
        assert_eq!(at.to_iso(), "2020-01-29T05:29:43.233Z");
        assert_eq!(
            Timestamp::from_iso("2020-01-29T07:29:43+02:00").unwrap().to_iso(),
            "2020-01-29T05:29:43.000Z"
        );
        assert_eq!(Timestamp::from_iso("2020-01-29").unwrap().to_iso(), "2020-01-29T00:00:00.000Z");
        assert_eq!(Timestamp::from_iso("yesterday"), None);
        for beyond in ["-2010-08-01", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"] {
            assert_eq!(Timestamp::from_iso(beyond), None, "{beyond}");
        }
    }
}
