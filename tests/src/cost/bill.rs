//! What was used, in dollars.

use super::{
    meter::Used,
    prices::{Prices, tiered},
};

const MILLION: f64 = 1e6;
const GIGABYTE: f64 = 1e9;
/// A chunk is sent to the queue, received and deleted; that several may be at once is left out.
const QUEUE_REQUESTS: f64 = 3.0;

/// What was used, in dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bill {
    /// The table's units.
    pub table: f64,
    /// Posts to connections.
    pub posts: f64,
    /// Requests of the HTTP API.
    pub http: f64,
    /// Functions, with what they log and what is traced of them.
    pub functions: f64,
    /// The topic and the queue of chunks.
    pub chunks: f64,
}

impl Bill {
    /// Adds up.
    #[must_use]
    pub fn of(prices: &Prices, used: &Used) -> Self {
        let (aws, assumed) = (&prices.aws, &prices.assumed);
        let cpu = used.calls * assumed.cpu_ms_per_call + used.posts * assumed.cpu_ms_per_post;
        let seconds = used.seconds + cpu / 1_000.0;
        let (requests, traces) =
            (aws.lambda.requests_million, aws.xray.traces_million * assumed.traced_share);
        let logs = used.calls * assumed.log_bytes_per_call / GIGABYTE * aws.logs.gb;
        let (topic, queue) = (&aws.sns_fifo, aws.sqs_fifo.requests_million * QUEUE_REQUESTS);
        let a_million = topic.published_million + topic.subscription_million + queue;
        Self {
            table: (used.writes * aws.dynamodb.write_units_million
                + used.reads * aws.dynamodb.read_units_million)
                / MILLION,
            posts: tiered(&aws.websocket_api.messages_million, used.metered / MILLION),
            http: tiered(&aws.http_api.requests_million, used.http / MILLION),
            functions: used.calls * (requests + traces) / MILLION
                + seconds * assumed.memory_gb * aws.lambda.gb_second
                + logs,
            chunks: used.chunks * a_million / MILLION
                + used.chunk_bytes * (topic.published_gb + topic.subscription_gb) / GIGABYTE,
        }
    }

    /// Everything.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.table + self.posts + self.http + self.functions + self.chunks
    }
}
