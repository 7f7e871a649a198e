//! Topics and queues: what the stream's function publishes reaches the queue's, also over a kill.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use handlers::{
    context::Context,
    delivery::topic::{Parcel, publish},
    endpoint::{Action, Endpoint, Handling, Reads, Trigger},
    invocation::{Invocation, Reply, string_attribute},
};
use switchboard::{Options, dynamodb::Storage};

use crate::{
    stream::{put, run_and_kill},
    world::{World, options, started, world},
};

const TEMPLATE: &str = r#"
Globals:
  Function: { Environment: { Variables: { SWITCHBOARD_CHUNKS: !Ref Topic } } }
Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { FifoTopic: true } }
  Queue:
    Type: AWS::SQS::Queue
    Properties: { FifoQueue: true, VisibilityTimeout: 3600, RedrivePolicy: { maxReceiveCount: 2 } }
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: { Protocol: sqs, TopicArn: !Ref Topic, Endpoint: !GetAtt Queue.Arn, RawMessageDelivery: true }
  Publish:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-publish } }
    Properties: { Events: { Log: { Type: DynamoDB, Properties: { Stream: !GetAtt Table.StreamArn, BatchSize: 4 } } } }
  Take:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: toy-take } }
    Properties:
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            BatchSize: 3
            FunctionResponseTypes: [ReportBatchItemFailures]
"#;

static PUBLISH: Endpoint = Endpoint {
    name: "toy-publish",
    dialect: None,
    trigger: Trigger::Stream(Reads::All),
    access: &[Action::PublishChunks],
    handler: publishing,
};
static TAKE: Endpoint =
    Endpoint { name: "toy-take", dialect: None, trigger: Trigger::Queue, access: &[], handler: taking };

/// Publishes the keys of the records, all in one group.
fn publishing(context: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Stream(records) = invocation else { panic!("{invocation:?}") };
        let parcel = |key: &str| {
            let group = Some(("group".to_owned(), key.to_owned()));
            Parcel { body: key.to_owned(), attributes: BTreeMap::new(), group }
        };
        let keys = records.iter().map(|record| string_attribute(&record.keys, "sk").unwrap());
        let parcels: Vec<Parcel> = keys.map(parcel).collect();
        let topics = &context.road.topics;
        let (client, topic) = (topics.client.as_ref().unwrap(), topics.chunks.as_ref().unwrap());
        assert!(publish(client, topic, &parcels).await.unwrap().is_empty());
        Reply::Batch(Vec::new())
    })
}

/// Takes down what came, and fails where the test says so.
fn taking(context: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Queue(messages) = invocation else { panic!("{invocation:?}") };
        let world = world(&context.secrets.server);
        let bodies = messages.iter().map(|message| message.body.clone()).collect();
        world.batches.send_modify(|batches| batches.push(bodies));
        let failing = world.failing.lock().unwrap().clone();
        let failed = messages.into_iter().filter(|message| failing.contains(&message.body));
        Reply::Batch(failed.map(|message| message.id).collect())
    })
}

fn of(name: &str) -> Options {
    Options { template: Some(TEMPLATE.to_owned()), endpoints: vec![&PUBLISH, &TAKE], ..options(name) }
}

async fn took(world: &World, key: &str) {
    let mut batches = world.batches.subscribe();
    let taken = batches.wait_for(|batches| batches.concat().contains(&key.to_owned()));
    tokio::time::timeout(Duration::from_secs(30), taken).await.expect(key).unwrap();
}

#[tokio::test]
async fn what_is_published_is_taken_in_order_and_in_batches() {
    let (running, world) = started(of("queue order")).await;
    let expected: Vec<_> = (0..20).map(|n| format!("{n:02}")).collect();
    for key in &expected {
        put(&running, "LOG#a", key).await;
    }
    running.drained().await;
    assert_eq!(world.delivered(), expected);
    assert!(world.batches.borrow().iter().all(|batch| batch.len() <= 3));
}

#[test]
fn a_kill_loses_nothing_that_is_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| {
        let storage = Storage::File(folder.path().join("data.db"));
        Options { storage, ..of(name) }
    };
    // Killed while the queue has it, long after the stream's function was done with it.
    run_and_kill(async {
        let (running, world) = started(of("queue first")).await;
        put(&running, "LOG#a", "1").await;
        running.drained().await;
        world.failing.lock().unwrap().insert("2".to_owned());
        put(&running, "LOG#a", "2").await;
        took(&world, "2").await;
        // The stream's position would be remembered by now.
        tokio::time::sleep(Duration::from_millis(600)).await;
        drop(running);
    });
    run_and_kill(async {
        let (running, _) = started(of("queue second")).await;
        running.drained().await;
        running.shutdown().await;
    });
    run_and_kill(async {
        let (running, _) = started(of("queue third")).await;
        running.drained().await;
    });
    assert!(world("queue second").delivered().contains(&"2".to_owned()), "brought again by the stream");
    assert_eq!(world("queue third").delivered(), Vec::<String>::new(), "and when it was taken, no more");
}
