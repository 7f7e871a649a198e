//! A conditional write, to be done alone or with others in one transaction.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::Error;

use crate::{
    Item, Store, fault, item,
    keys::{self, Key},
    schema,
};

/// DynamoDB's limit on the items of one transaction.
pub const ITEMS_PER_TRANSACTION: usize = 100;

/// A write of one item.
#[derive(Debug, Clone)]
pub struct Write {
    kind: Kind,
    condition: Option<&'static str>,
    values: Vec<(&'static str, AttributeValue)>,
}

#[derive(Debug, Clone)]
enum Kind {
    Put(Item),
    Update(Key, &'static str),
    Delete(Key),
}

impl Write {
    pub(crate) fn put(item: Item) -> Self {
        Self { kind: Kind::Put(item), condition: None, values: Vec::new() }
    }

    pub(crate) fn update(key: Key, expression: &'static str) -> Self {
        Self { kind: Kind::Update(key, expression), condition: None, values: Vec::new() }
    }

    pub(crate) fn delete(key: Key) -> Self {
        Self { kind: Kind::Delete(key), condition: None, values: Vec::new() }
    }

    pub(crate) fn when(mut self, condition: &'static str) -> Self {
        self.condition = Some(condition);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.values.push((name, value));
        self
    }

    /// The sort key of the entry that it puts back changed.
    pub(crate) fn changed_entry(&self) -> Option<&str> {
        let Kind::Put(item) = &self.kind else { return None };
        let in_log = item::find_text(item, schema::PARTITION_KEY)?.starts_with(keys::LOG);
        in_log.then(|| item::find_text(item, schema::SORT_KEY)).flatten()
    }

    fn into_transaction_item(self, table: &str) -> Result<TransactWriteItem, Error> {
        let built = |error| Error::Internal(format!("a write of a transaction: {error}"));
        let item = TransactWriteItem::builder();
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let values = (!self.values.is_empty())
            .then(|| self.values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect());
        Ok(match self.kind {
            Kind::Put(attributes) => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(attributes))
                    .set_condition_expression(self.condition.map(str::to_owned))
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old)
                    .build()
                    .map_err(built)?,
            ),
            Kind::Update(key, expression) => item.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(item::keyed(&key)))
                    .update_expression(expression)
                    .set_expression_attribute_names(names(expression))
                    .set_condition_expression(self.condition.map(str::to_owned))
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old)
                    .build()
                    .map_err(built)?,
            ),
            Kind::Delete(key) => item.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(item::keyed(&key)))
                    .set_condition_expression(self.condition.map(str::to_owned))
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(built)?,
            ),
        }
        .build())
    }
}

/// `ttl` is a word of DynamoDB's own: in an expression it is called `#ttl`.
#[expect(clippy::disallowed_types, reason = "the SDK takes no other")]
fn names(expression: &str) -> Option<std::collections::HashMap<String, String>> {
    expression.contains("#ttl").then(|| [("#ttl".to_owned(), schema::TTL.to_owned())].into())
}

/// What became of a conditional write.
#[derive(Debug)]
pub enum Written {
    /// It is in the table.
    Done,
    /// A condition did not hold: of which writes, and what stands there instead. Nothing was written.
    Refused(Vec<(usize, Option<Item>)>),
}

impl Store {
    /// Does one write.
    pub(crate) async fn write_one(&self, write: Write) -> Result<Written, Error> {
        let Write { kind, condition, values } = write;
        let condition = condition.map(str::to_owned);
        let values =
            (!values.is_empty()).then(|| values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect());
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        match kind {
            Kind::Put(attributes) => {
                let sent = self
                    .client
                    .put_item()
                    .table_name(&self.table)
                    .set_item(Some(attributes))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old)
                    .send()
                    .await;
                use aws_sdk_dynamodb::operation::put_item::PutItemError as E;
                match sent {
                    Ok(_) => Ok(Written::Done),
                    Err(error) => match error.as_service_error() {
                        Some(E::ConditionalCheckFailedException(refused)) => {
                            Ok(Written::Refused(vec![(0, refused.item.clone())]))
                        }
                        _ => Err(fault::of("PutItem", &error)),
                    },
                }
            }
            Kind::Update(key, expression) => {
                let sent = self
                    .client
                    .update_item()
                    .table_name(&self.table)
                    .set_key(Some(item::keyed(&key)))
                    .update_expression(expression)
                    .set_expression_attribute_names(names(expression))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(old)
                    .send()
                    .await;
                use aws_sdk_dynamodb::operation::update_item::UpdateItemError as E;
                match sent {
                    Ok(_) => Ok(Written::Done),
                    Err(error) => match error.as_service_error() {
                        Some(E::ConditionalCheckFailedException(refused)) => {
                            Ok(Written::Refused(vec![(0, refused.item.clone())]))
                        }
                        _ => Err(fault::of("UpdateItem", &error)),
                    },
                }
            }
            Kind::Delete(key) => {
                let sent = self
                    .client
                    .delete_item()
                    .table_name(&self.table)
                    .set_key(Some(item::keyed(&key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .send()
                    .await;
                use aws_sdk_dynamodb::operation::delete_item::DeleteItemError as E;
                match sent {
                    Ok(_) => Ok(Written::Done),
                    Err(error) => match error.as_service_error() {
                        Some(E::ConditionalCheckFailedException(refused)) => {
                            Ok(Written::Refused(vec![(0, refused.item.clone())]))
                        }
                        _ => Err(fault::of("DeleteItem", &error)),
                    },
                }
            }
        }
    }

    /// Does all the writes, or none of them. One write alone costs half of what it costs in a transaction.
    ///
    /// # Errors
    /// [`Error::Busy`] if the table is, else [`Error::Internal`]. It is then unknown whether the writes were done.
    pub async fn write_all(&self, mut writes: Vec<Write>) -> Result<Written, Error> {
        if writes.len() <= 1 {
            return match writes.pop() {
                Some(write) => self.write_one(write).await,
                None => Ok(Written::Done),
            };
        }
        let items: Result<Vec<_>, _> =
            writes.into_iter().map(|write| write.into_transaction_item(&self.table)).collect();
        let sent = self.client.transact_write_items().set_transact_items(Some(items?)).send().await;
        let Err(error) = sent else { return Ok(Written::Done) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return Err(fault::of("TransactWriteItems", &error));
        };
        let reasons = cancelled.cancellation_reasons();
        let refused: Vec<_> = reasons
            .iter()
            .enumerate()
            .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            .map(|(index, reason)| (index, reason.item.clone()))
            .collect();
        if refused.is_empty() {
            // Another transaction holds one of the items, or the table throttles: nothing was written.
            let busy = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            if reasons.iter().any(|reason| reason.code().is_some_and(|code| busy.contains(&code))) {
                return Err(Error::Busy);
            }
            return Err(fault::of("TransactWriteItems", &error));
        }
        Ok(Written::Refused(refused))
    }
}
