//! Whoever writes at once, and however much at a time: the log has no gap, each batch stands in one piece, each
//! message once, and each writer's in the order of writing.

use std::collections::BTreeMap;

use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};

use super::{Draft, Server, assert_gap_free, caller, instance, log, message, send as one, within};
use domain::{ConversationId, Dialect};
use handlers::operations::send;

/// Messages that are written in one append.
type Batch = usize;

/// Writes each batch in turn; says the ids, batch by batch.
async fn write(
    cx: std::sync::Arc<handlers::context::Context>,
    user: String,
    room: String,
    batches: Vec<Batch>,
) -> Vec<Vec<String>> {
    let mut acknowledged = Vec::new();
    let mut count = 0;
    for batch in batches {
        if batch == 1 {
            let sent = one(&cx, &user, &room, None, &format!("{user} {count}")).await.unwrap();
            count += 1;
            acknowledged.push(vec![sent.id.to_string()]);
            continue;
        }
        let first = count;
        let drafts = (0..batch).map(|n| {
            let mut draft = Draft::default();
            draft.content.text = Some(format!("{user} {}", first + n));
            draft
        });
        count += batch;
        let id = ConversationId::parse(room.as_str()).unwrap();
        let caller = caller(&user);
        let sent = send::send(&cx, &caller, Dialect::Channelstream, &id, drafts.collect()).await.unwrap();
        acknowledged.push(sent.messages.into_iter().map(|message| message.id.to_string()).collect());
    }
    acknowledged
}

async fn hold(server: &Server, writers: Vec<Vec<Batch>>) {
    let names: Vec<String> = (0..writers.len()).map(|n| format!("writer-{n}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let room = server.make_conversation("private", &members).await;
    let mut writing = tokio::task::JoinSet::new();
    for (user, batches) in names.iter().cloned().zip(writers) {
        writing.spawn(write(instance(server), user, room.clone(), batches));
    }
    let acknowledged: Vec<Vec<String>> =
        within("the writers", writing.join_all()).await.into_iter().flatten().collect();
    let log = log(server, server.number(&room).await).await;
    assert_gap_free(&log);
    let written: Vec<String> = log.iter().filter_map(message).map(|one| one.id.to_string()).collect();
    let place: BTreeMap<&String, usize> = written.iter().enumerate().map(|(at, id)| (id, at)).collect();
    assert_eq!(place.len(), written.len(), "no id stands twice");
    assert_eq!(acknowledged.iter().flatten().count(), written.len(), "what was acknowledged, and no more");
    for batch in &acknowledged {
        let places: Vec<usize> = batch.iter().map(|id| place[id]).collect();
        let in_one_piece: Vec<usize> = (places[0]..).take(batch.len()).collect();
        assert_eq!(places, in_one_piece);
    }
    for user in &names {
        let texts = log.iter().filter_map(message).filter(|one| one.author.as_str() == user);
        let texts: Vec<String> = texts.map(|one| one.content.text.clone().unwrap()).collect();
        assert_eq!(texts, (0..texts.len()).map(|n| format!("{user} {n}")).collect::<Vec<_>>());
    }
}

#[test]
fn any_writers_with_any_batches_leave_one_log_without_a_gap() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start());
    runtime.block_on(async {
        let names: Vec<String> = (0..6).map(|n| format!("writer-{n}")).collect();
        server.make_users(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    });
    let config = Config { cases: 12, max_shrink_iters: 24, ..Config::with_source_file(file!()) };
    let writers = vec(vec(1_usize..5, 1..5), 2..7);
    TestRunner::new(config)
        .run(&writers, |writers| {
            runtime.block_on(hold(&server, writers));
            Ok(())
        })
        .unwrap();
    runtime.block_on(server.end());
}
