//! Who comes in, by whichever dialect, hears and reads in all.

use domain::Dialect;

use super::{
    World, after,
    drivers::{self, Action},
    members, table,
    watchers::Watchers,
};

#[tokio::test]
async fn who_comes_in_by_one_dialect_hears_and_reads_in_all() {
    let mut world = World::new().await;
    let mut toms = Watchers::open_as(&world.server, |_| "tom").await;
    for action in [Action::Join, Action::Add] {
        for by in Dialect::ALL {
            if drivers::lack(by, action).is_some() {
                continue;
            }
            let case = format!("{action:?} by {}", by.name());
            world.gather(&members(&[])).await;
            world.said(by, "P").await;
            assert!(toms.heard(&world.server, &world.scene).await.values().all(String::is_empty), "{case}");
            world.act(by, action).await;
            let heard = toms.heard(&world.server, &world.scene).await;
            let welcome = ["", "", "", "RoomCreated P", "added_memebers tom"];
            for (dialect, due) in Dialect::ALL.into_iter().zip(welcome) {
                assert_eq!(heard[&dialect], due, "{case}: told by {}", dialect.name());
            }
            toms.follow(&world.server, &world.scene.id).await;
            world.act(after(by), Action::Send("hello")).await;
            world.call_newest("M").await;
            let heard = toms.heard(&world.server, &world.scene).await;
            for (dialect, due) in Dialect::ALL.into_iter().zip(table::CASES[0].hears) {
                assert_eq!(heard[&dialect], due, "{case}: heard by {}", dialect.name());
            }
            let texts = world.server.user("tom").texts(&world.scene.id).await;
            assert_eq!(texts, ["before", "hello"], "{case}");
        }
    }
    drop(toms);
    drop(world.watchers);
    world.server.end().await;
}
