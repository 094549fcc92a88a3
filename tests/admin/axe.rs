//! Every page is usable by everybody: by the rules of accessibility, in both schemes of colours, and
//! from a phone to a wide screen.
//!
//! With `REDFLASH_SHOTS` naming a directory, a picture of each is written there to be looked at.

use std::path::PathBuf;

use redflash_tests::Browser;

use crate::pages::{Examples, pages};
use crate::world::{PASSWORD, World};

/// Widths at which a page must not be wider than the screen.
const WIDTHS: [u32; 4] = [360, 768, 1280, 1600];
/// Those at which it is held to the rules.
const RULED: [u32; 2] = [360, 1280];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_no_fault_in_light_colours() {
    let world = World::as_user("boss").await;
    let paths = Examples::make(&world).await.paths(&world).await;
    look_at(&world, &paths, "full", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_no_fault_in_dark_colours() {
    let world = World::as_user("boss").await;
    let paths = Examples::make(&world).await.paths(&world).await;
    look_at(&world, &paths, "full", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_no_fault_where_there_is_nothing_yet() {
    let world = World::start().await;
    for dark in [false, true] {
        look_at(&world, &["/admin/login".to_owned()], "empty", dark).await;
    }
    world.log_in("boss", PASSWORD).await;
    world.arrive("/admin").await;
    let plain = pages().filter(|path| !path.contains('{'));
    let paths: Vec<_> = plain.map(str::to_owned).collect();
    for dark in [false, true] {
        look_at(&world, &paths, "empty", dark).await;
    }
}

/// Visits pages, and fails with everything that is wrong with any.
async fn look_at(world: &World, paths: &[String], what: &str, dark: bool) {
    let browser = &world.browser;
    browser.dark(dark).await;
    let mut wrong = Vec::new();
    for path in paths {
        world.visit(path).await;
        for width in WIDTHS {
            browser.set_size(width, 800).await;
            let at = format!("{path} ({what}, {width} wide, dark: {dark})");
            wrong.extend(
                overflow(browser, width)
                    .await
                    .map(|found| format!("{at}: {found}")),
            );
            if !RULED.contains(&width) {
                continue;
            }
            let found = browser.axe().await;
            wrong.extend(found.iter().map(|violation| format!("{at}: {violation:?}")));
            if let Some(place) = std::env::var_os("REDFLASH_SHOTS") {
                let scheme = if dark { "dark" } else { "light" };
                let page = path.trim_start_matches('/').replace(['/', '?', '='], "-");
                let name = format!("{page}-{what}-{width}-{scheme}.png");
                browser.screenshot(PathBuf::from(place).join(name)).await;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What is wider than the page, if anything is.
async fn overflow(browser: &Browser, width: u32) -> Option<String> {
    let script = format!(
        "const wide = document.documentElement.scrollWidth;
         if (wide <= {width}) return null;
         const widest = [...document.querySelectorAll('main *, header *')]
             .filter(one => one.getBoundingClientRect().right > {width} + 1)
             .map(one => one.outerHTML.slice(0, 120));
         return wide + ' wide: ' + widest.slice(0, 3).join(' … ');"
    );
    let found = browser.execute(&script).await;
    found.as_str().map(str::to_owned)
}
