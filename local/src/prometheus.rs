//! `GET /metrics`: what the delivery counted since the start, in Prometheus' text format. Only this machine is told.
//!
//! The same list of metrics as in CloudWatch, spelled as Prometheus spells names. With `--lambda` the functions count
//! in processes of their own and write their lines to the log; there is nothing to be shown here then.

use std::fmt::Write as _;

use handlers::metrics::{Metric, Tally, Unit};

/// The bounds of the lag's buckets, in milliseconds.
const BOUNDS: [u64; 12] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000];

/// The media type of [`text`].
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4";

/// All metrics, also those that are still 0.
pub(crate) fn text(tally: &Tally) -> String {
    let mut text = String::new();
    for metric in Metric::ALL {
        // Writing to a text cannot fail.
        let _ = match metric.unit() {
            Unit::Milliseconds => histogram(&mut text, metric, tally),
            Unit::Count => counter(&mut text, metric, tally),
        };
    }
    text
}

fn counter(text: &mut String, metric: Metric, tally: &Tally) -> std::fmt::Result {
    let name = snake_case(metric.name());
    let count = tally.counts.get(&metric).copied().unwrap_or_default();
    writeln!(text, "# TYPE switchboard_{name}_total counter\nswitchboard_{name}_total {count}")
}

fn histogram(text: &mut String, metric: Metric, tally: &Tally) -> std::fmt::Result {
    let name = format!("switchboard_{}_milliseconds", snake_case(metric.name()));
    writeln!(text, "# TYPE {name} histogram")?;
    for bound in BOUNDS {
        let within: u64 = tally.lags.range(..=bound).map(|(_, times)| times).sum();
        writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {within}")?;
    }
    let all: u64 = tally.lags.values().sum();
    let sum: u64 = tally.lags.iter().map(|(lag, times)| lag.saturating_mul(*times)).sum();
    writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {all}\n{name}_sum {sum}\n{name}_count {all}")
}

/// `FanOutLag` is `fan_out_lag`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn counts_are_counters_and_lags_a_histogram() {
        let counts = BTreeMap::from([(Metric::ChunksPublished, 7)]);
        let shown = text(&Tally { counts, lags: BTreeMap::from([(5, 1), (6, 2), (70_000, 1)]) });
        for line in [
            "# TYPE switchboard_chunks_published_total counter\nswitchboard_chunks_published_total 7\n",
            "switchboard_posts_total 0\n",
            "# TYPE switchboard_fan_out_lag_milliseconds histogram\n",
            "switchboard_fan_out_lag_milliseconds_bucket{le=\"5\"} 1\n",
            "switchboard_fan_out_lag_milliseconds_bucket{le=\"60000\"} 3\n",
            "switchboard_fan_out_lag_milliseconds_bucket{le=\"+Inf\"} 4\n",
            "switchboard_fan_out_lag_milliseconds_sum 70017\nswitchboard_fan_out_lag_milliseconds_count 4\n",
        ] {
            assert!(shown.contains(line), "{line:?} is not in:\n{shown}");
        }
    }
}
