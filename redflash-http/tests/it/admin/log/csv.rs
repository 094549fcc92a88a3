//! The log as CSV.

use crate::admin::delivery_world::World;
use crate::login::Who;

/// Returns the lines of a table, without its header.
async fn table(world: &World, query: &str) -> Vec<String> {
    let answer = world
        .get_as(Who::Viewer, &format!("/admin/log.csv{query}"))
        .await;
    let answer = answer.expect(200);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let disposition = &answer.headers["content-disposition"];
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let body = answer.body.strip_prefix('\u{feff}');
    let body = body.expect("Excel needs a byte order mark to read UTF-8");
    assert!(
        !body.contains('\u{feff}'),
        "the mark stands at the beginning only"
    );
    let body = body.strip_suffix("\r\n").expect("lines end");
    let mut lines = body.split("\r\n").map(str::to_owned);
    let head = lines.next().unwrap();
    assert!(
        head.starts_with("raised_at,notification,target,name,"),
        "{head}"
    );
    lines.collect()
}

#[tokio::test]
async fn exports_line_per_matching_delivery() {
    let world = World::start().await;
    assert!(table(&world, "").await.is_empty());
    world
        .contact("ann", "Ann, \"the first\"", &["a-1", "refuse-1"])
        .await;
    world.contact("bob", "Bob", &["+44"]).await;
    world.tell("ann", "hello").await;
    world.tell("bob", "=HYPERLINK(1)").await;
    let all = table(&world, "").await;
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(
        all[0].contains(",pager,'+44,sent,1,first,m-1,1,"),
        "{}",
        all[0]
    );
    assert!(all[0].ends_with(",'=HYPERLINK(1)"), "{}", all[0]);
    assert!(
        all[1].contains(",\"Ann, \"\"the first\"\"\",,ann,,pager,a-1,"),
        "{}",
        all[1]
    );
    let failed = table(&world, "?state=failed").await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].contains(",refuse-1,failed,"), "{}", failed[0]);
    assert_eq!(table(&world, "?from=2020-01-01&contact=bob").await.len(), 1);
    assert!(table(&world, "?until=2020-01-01").await.is_empty());
}

#[tokio::test]
async fn exports_long_table_completely() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a", "b"]).await;
    let text = "x".repeat(1_000);
    for number in 0..250 {
        let raise = format!("{number} {text}");
        let raise = redflash_core::message::Raise::contact("ann".parse().unwrap(), raise);
        world.engine.raise(raise).await.unwrap();
    }
    let all = table(&world, "").await;
    assert_eq!(all.len(), 500);
    for (place, line) in all.iter().enumerate() {
        let number = 249 - place / 2;
        assert!(
            line.ends_with(&format!(",{number} {text}")),
            "{place}: {line}"
        );
    }
}

#[tokio::test]
async fn requires_session() {
    let world = World::start().await;
    let answer = world.client.get("/admin/log.csv").await.expect(303);
    assert_eq!(
        answer.headers["location"],
        "/admin/login?next=%2Fadmin%2Flog.csv"
    );
}
