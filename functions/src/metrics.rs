//! A call's tally as CloudWatch reads it out of the log: a line in Embedded Metric Format.
//!
//! Metrics cost no call and no waiting this way: the line goes where all lines go, and CloudWatch takes the numbers
//! out of it. There is one dimension, the stack's name: each further set of them would be ten more metrics to pay for.
//! The format is small enough to be written here: the crates for it bring a registry of metrics, atomics and a
//! service layer into each of a hundred binaries, for one object of JSON.

use std::collections::BTreeMap;

use domain::Timestamp;
use handlers::metrics::{Lags, Metric, Tally};
use serde::Serialize;

/// The namespace in CloudWatch.
pub const NAMESPACE: &str = "Switchboard";
/// The one dimension.
pub const DIMENSION: &str = "Stack";
/// The variable with the stack's name, which is the dimension's value.
pub const STACK: &str = "SWITCHBOARD_STACK";
/// Values that one line may have of a metric (CloudWatch).
pub const MOST_VALUES: usize = 100;

/// Who counted.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The stack.
    pub stack: &'a str,
    /// The function.
    pub function: &'a str,
    /// Lambda's name for the call.
    pub request_id: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_aws")]
    aws: Directives,
    // As in every other line: Lambda asks for the level, and puts the time to what has none.
    timestamp: String,
    level: &'static str,
    #[serde(rename = "Stack")]
    stack: &'a str,
    function: &'a str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    #[serde(flatten)]
    values: BTreeMap<&'static str, Values>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directives {
    timestamp: i64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    One(u64),
    Many(Vec<u64>),
}

/// The line that tells a tally; none if nothing was counted.
#[must_use]
pub fn line(tally: &Tally, origin: Origin<'_>, now: Timestamp) -> Option<String> {
    if tally.is_empty() {
        return None;
    }
    let counts = tally.counts.iter().map(|(metric, count)| (*metric, Values::One(*count)));
    let lags = (!tally.lags.is_empty()).then(|| (Metric::FanOutLag, Values::Many(spread(&tally.lags))));
    let values: BTreeMap<Metric, Values> = counts.chain(lags).collect();
    let define = |metric: &Metric| Definition { name: metric.name(), unit: metric.unit().name() };
    let directive = Directive {
        namespace: NAMESPACE,
        dimensions: [[DIMENSION]],
        metrics: values.keys().map(define).collect(),
    };
    let line = Line {
        aws: Directives { timestamp: now.millis(), cloud_watch_metrics: [directive] },
        timestamp: now.to_iso(),
        level: "INFO",
        stack: origin.stack,
        function: origin.function,
        request_id: origin.request_id,
        values: values.into_iter().map(|(metric, values)| (metric.name(), values)).collect(),
    };
    serde_json::to_string(&line).ok()
}

/// The values, in order; of more than a line may have, as many as it may, evenly from the least to the largest, so
/// that percentiles and the maximum stay what they are.
fn spread(lags: &Lags) -> Vec<u64> {
    let all: Vec<u64> = lags
        .iter()
        .flat_map(|(lag, times)| std::iter::repeat_n(*lag, usize::try_from(*times).unwrap_or(usize::MAX)))
        .collect();
    if all.len() <= MOST_VALUES {
        return all;
    }
    let last = all.len() - 1;
    (0..MOST_VALUES).filter_map(|at| all.get(at * last / (MOST_VALUES - 1)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin<'_> = Origin { stack: "prod", function: "fan-out", request_id: "r" };

    #[test]
    fn what_was_counted_is_one_line_and_nothing_is_none() {
        assert_eq!(line(&Tally::default(), ORIGIN, Timestamp::default()), None);
        let counts = BTreeMap::from([(Metric::Posts, 3), (Metric::Gone, 1)]);
        let tally = Tally { counts, lags: Lags::from([(250, 2)]) };
        let told = line(&tally, ORIGIN, Timestamp::from_millis(1_000)).unwrap();
        let expected = concat!(
            r#"{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[{"Namespace":"Switchboard","Dimensions":[["Stack"]],"#,
            r#""Metrics":[{"Name":"FanOutLag","Unit":"Milliseconds"},{"Name":"Posts","Unit":"Count"},"#,
            r#"{"Name":"Gone","Unit":"Count"}]}]},"timestamp":"1970-01-01T00:00:01.000Z","level":"INFO","#,
            r#""Stack":"prod","function":"fan-out","requestId":"r","#,
            r#""FanOutLag":[250,250],"Gone":1,"Posts":3}"#,
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn a_hundred_values_stand_for_more_of_them() {
        assert_eq!(spread(&Lags::from([(3, 2), (9, 1)])), [3, 3, 9]);
        let many = spread(&(0..1_000).map(|lag| (lag, 1)).collect());
        assert_eq!((many.len(), many[0], many[50], many[98], many[99]), (100, 0, 504, 988, 999));
        let alike = spread(&Lags::from([(1, 990), (7_000, 10)]));
        assert_eq!((alike.len(), alike[98], alike[99]), (100, 1, 7_000));
    }
}
