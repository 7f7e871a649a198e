//! The table's own shape: what `template.yaml` declares in AWS and the runner creates on one machine.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        StreamSpecification, StreamViewType, TimeToLiveSpecification,
    },
};

/// Partition key.
pub const PARTITION_KEY: &str = "pk";
/// Sort key.
pub const SORT_KEY: &str = "sk";
/// The attribute that DynamoDB reads as the time to live, unix seconds.
pub const TTL: &str = "ttl";

/// Creates the table with its stream and TTL, as `template.yaml` does. A table that exists is left alone.
///
/// # Errors
/// Says what the SDK said.
pub async fn create_table(
    client: &Client,
    table: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let attribute = |name| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
    };
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let created = client
        .create_table()
        .table_name(table)
        .attribute_definitions(attribute(PARTITION_KEY)?)
        .attribute_definitions(attribute(SORT_KEY)?)
        .key_schema(key(PARTITION_KEY, KeyType::Hash)?)
        .key_schema(key(SORT_KEY, KeyType::Range)?)
        .billing_mode(BillingMode::PayPerRequest)
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()?,
        )
        .send()
        .await;
    match created {
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
        {
            return Ok(());
        }
        other => other?,
    };
    while client.describe_table().table_name(table).send().await?.table.and_then(|t| t.table_status)
        != Some(aws_sdk_dynamodb::types::TableStatus::Active)
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(
            TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build()?,
        )
        .send()
        .await?;
    Ok(())
}
