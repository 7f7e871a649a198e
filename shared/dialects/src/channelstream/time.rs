//! Times, as Python's naive `datetime` writes them.

use domain::Timestamp;

/// `2026-11-21T23:56:36.453000`: UTC, without saying so.
#[must_use]
pub fn naive(at: Timestamp) -> String {
    let iso = at.to_iso();
    format!("{}000", iso.trim_end_matches('Z'))
}

/// A time that a client gave, as it is said back: seconds always, a fraction only where there is one, the offset
/// kept; none if it is none.
#[must_use]
pub fn given(text: &str) -> Option<String> {
    let split = text.find(['T', ' '])?;
    let (date, time) = (text.get(..split)?, text.get(split + 1..)?);
    let (year, date) = date.split_at_checked(4)?;
    let [year] = numbers(year, 4, ':')?;
    let [month, day] = numbers(date.strip_prefix('-')?, 2, '-')?;
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = (time.get(..zone)?, time.get(zone..)?);
    let (clock, fraction) = match clock.split_once('.') {
        Some((_, fraction)) if !(1..=12).contains(&fraction.len()) => return None,
        Some(parts) => parts,
        None => (clock, ""),
    };
    let [hour, minute, second] = match numbers(clock, 2, ':') {
        Some(parts) => parts,
        None if fraction.is_empty() => numbers(clock, 2, ':').map(|[hour, minute]| [hour, minute, 0])?,
        None => return None,
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if year == 0 || !(1..=12).contains(&month) || !(1..=days(year, month)).contains(&day) {
        return None;
    }
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let fraction = if micros == "000000" { String::new() } else { format!(".{micros}") };
    let offset = match zone {
        "" => String::new(),
        "Z" => "+00:00".to_owned(),
        other => {
            let sign = other.get(..1).filter(|sign| matches!(*sign, "+" | "-"))?;
            let digits: String = other.get(1..)?.split(':').collect();
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let (hours, minutes) = match digits.len() {
                2 => (digits.as_str(), "00"),
                4 => digits.split_at(2),
                _ => return None,
            };
            if hours > "23" || minutes > "59" {
                return None;
            }
            format!("{sign}{hours}:{minutes}")
        }
    };
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}"))
}

/// Numbers of at most so many digits between separators.
fn numbers<const COUNT: usize>(text: &str, digits: usize, separator: char) -> Option<[u32; COUNT]> {
    let is_number =
        |part: &str| (1..=digits).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split(separator).map(|part| is_number(part).then(|| part.parse().ok()).flatten());
    parts.collect::<Option<Vec<u32>>>()?.try_into().ok()
}

/// The moment that a given time means; UTC where it does not say.
#[must_use]
pub fn moment(given: &str) -> Option<Timestamp> {
    Timestamp::from_iso(given).or_else(|| Timestamp::from_iso(&format!("{given}Z")))
}

const fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_back_as_python_says_them() {
        for (text, said) in [
            ("2010-01-01T01:01", Some("2010-01-01T01:01:00")),
            ("2010-01-01 01:01:02.5", Some("2010-01-01T01:01:02.500000")),
            ("2010-01-01T01:01:02.000", Some("2010-01-01T01:01:02")),
            ("2010-01-01T01:01:02+0200", Some("2010-01-01T01:01:02+02:00")),
            ("2010-01-01T01:01:02Z", Some("2010-01-01T01:01:02+00:00")),
            ("2010-1-2T3:4:5.123456789", Some("2010-01-02T03:04:05.123456")),
            ("2010-01-01T01:01:02Z0200", None),
            ("2010-01-01T01:01:02.", None),
            ("2010-01-01T01:01.5", None),
            ("010-01-01T01:01", None),
            ("2010-02-29T01:01:02", None),
            ("yesterday", None),
            ("2010-01-01", None),
            ("2010-01-01T25:00", None),
        ] {
            assert_eq!(given(text).as_deref(), said, "{text}");
        }
        assert_eq!(naive(Timestamp::from_millis(0)), "1970-01-01T00:00:00.000000");
        assert_eq!(moment("1970-01-01T00:00:01"), Some(Timestamp::from_millis(1_000)));
        assert_eq!(moment("1970-01-01T02:00:01+02:00"), Some(Timestamp::from_millis(1_000)));
    }
}
