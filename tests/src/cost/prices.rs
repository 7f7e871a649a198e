//! `docs/prices.json`: what things cost, and what is assumed where nothing can be counted.

use serde::Deserialize;

use super::rig::Answers;

const JSON: &str = include_str!("../../../docs/prices.json");

/// A price that falls with the amount: up to so many of the unit at this price, and so on; none: without end.
pub type Tiers = Vec<(Option<f64>, f64)>;

/// What so many of a unit cost.
#[must_use]
pub fn tiered(tiers: &Tiers, amount: f64) -> f64 {
    let mut below = 0.0;
    let mut cost = 0.0;
    for (end, price) in tiers {
        let end = end.unwrap_or(f64::INFINITY);
        cost += (amount.min(end) - below).max(0.0) * price;
        below = end;
    }
    cost
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// When and where.
    pub of: String,
    /// What the program uses.
    pub aws: Aws,
    /// What else there is.
    pub others: Others,
    /// What is not counted but assumed.
    pub assumed: Assumed,
}

impl Prices {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read() -> Result<Self, String> {
        serde_json::from_str(JSON).map_err(|error| format!("docs/prices.json: {error}"))
    }
}

/// Defines the prices of one service: its source, and what it charges for.
macro_rules! service {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "the names are those of docs/prices.json")]
        pub struct $name { pub source: String, $(pub $field: $kind),* }
    };
}

service!(
    /// The table.
    DynamoDb { write_units_million: f64, read_units_million: f64, storage_gb_month: f64, backup_gb_month: f64 }
);
service!(
    /// The functions.
    Lambda { requests_million: f64, gb_second: f64 }
);
service!(
    /// REST.
    HttpApi { requests_million: Tiers }
);
service!(
    /// Sockets.
    WebSocketApi { messages_million: Tiers, connection_minutes_million: f64 }
);
service!(
    /// The topic of chunks.
    SnsFifo { published_million: f64, published_gb: f64, subscription_million: f64, subscription_gb: f64 }
);
service!(
    /// Its queue.
    SqsFifo { requests_million: f64 }
);
service!(
    /// What functions log.
    Logs { gb: f64 }
);
service!(
    /// Traces.
    Xray { traces_million: f64 }
);
service!(
    /// Bytes that leave AWS.
    Transfer { out_gb: Tiers }
);
service!(
    /// AppSync Events.
    AppSync { operations_million: f64, connection_minutes_million: f64 }
);
service!(
    /// IoT Core.
    IotCore { messages_million: Tiers, connection_minutes_million: f64 }
);
service!(
    /// Ably.
    Ably {
        base_month: f64,
        messages_million: f64,
        connection_minutes_million: f64,
        channel_minutes_million: f64,
        most_connections: f64,
    }
);
service!(
    /// Pusher: name, dollars a month, connections at once, messages a day.
    Pusher { plans: Vec<(String, f64, f64, f64)> }
);

/// What the program uses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of docs/prices.json")]
pub struct Aws {
    pub dynamodb: DynamoDb,
    pub lambda: Lambda,
    pub http_api: HttpApi,
    pub websocket_api: WebSocketApi,
    pub sns_fifo: SnsFifo,
    pub sqs_fifo: SqsFifo,
    pub logs: Logs,
    pub xray: Xray,
    pub transfer: Transfer,
}

/// What else there is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of docs/prices.json")]
pub struct Others {
    pub appsync_events: AppSync,
    pub iot_core: IotCore,
    pub ably: Ably,
    pub pusher: Pusher,
}

/// What is not counted but assumed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumed {
    /// How long AWS takes to answer.
    pub answers_ms: Answers,
    /// CPU time of a call, in milliseconds, before anything that it waits for.
    pub cpu_ms_per_call: f64,
    /// CPU time of a post.
    pub cpu_ms_per_post: f64,
    /// A function's memory.
    pub memory_gb: f64,
    /// How many of the calls are traced.
    pub traced_share: f64,
    /// What a call logs.
    pub log_bytes_per_call: f64,
    /// What a client does.
    pub client: Client,
}

/// What a client does in a day.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Days of a month.
    pub days: f64,
    /// Hours that it is connected.
    pub hours_online: f64,
    /// In so many connections.
    pub connections: f64,
    /// Messages that it writes.
    pub messages: f64,
    /// Connections that hear each of them.
    pub listeners: f64,
    /// Pages of 50 messages that it reads.
    pub pages: f64,
    /// How many times as many as on average are connected at the busiest moment.
    pub peak_factor: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_falls_with_the_amount() {
        let tiers = vec![(Some(1_000.0), 1.0), (Some(5_000.0), 0.8), (None, 0.5)];
        let costs: Vec<f64> =
            [500.0, 1_000.0, 2_000.0, 6_000.0].into_iter().map(|amount| tiered(&tiers, amount)).collect();
        assert_eq!(costs, [500.0, 1_000.0, 1_800.0, 4_700.0]);
    }

    #[test]
    fn the_file_is_read() {
        Prices::read().unwrap();
    }
}
