//! Every page meets the accessibility rules in both colour schemes, on a phone and on a wide screen.
//!
//! If `REDFLASH_SHOTS` names a directory, a screenshot of each page is written there.

use std::path::PathBuf;

use redflash_tests::Browser;

use crate::pages::{Examples, pages};
use crate::world::{PASSWORD, World};

/// Widths at which a page must not scroll sideways.
const WIDTHS: [u32; 4] = [360, 768, 1280, 1600];
/// Widths at which the accessibility rules are checked.
const RULED: [u32; 2] = [360, 1280];

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_accessible_in_light_mode() {
    let world = World::as_user("boss").await;
    let paths = Examples::make(&world).await.paths(&world).await;
    check(&world, &paths, "full", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_accessible_in_dark_mode() {
    let world = World::as_user("boss").await;
    let paths = Examples::make(&world).await.paths(&world).await;
    check(&world, &paths, "full", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_pages_are_accessible() {
    let world = World::start().await;
    for dark in [false, true] {
        check(&world, &["/admin/login".to_owned()], "empty", dark).await;
    }
    world.log_in("boss", PASSWORD).await;
    world.arrive("/admin").await;
    let plain = pages().filter(|path| !path.contains('{'));
    let paths: Vec<_> = plain.map(str::to_owned).collect();
    for dark in [false, true] {
        check(&world, &paths, "empty", dark).await;
    }
}

/// Visits pages and fails with a list of all problems.
async fn check(world: &World, paths: &[String], what: &str, dark: bool) {
    let browser = &world.browser;
    browser.dark(dark).await;
    let mut problems = Vec::new();
    for path in paths {
        world.visit(path).await;
        for width in WIDTHS {
            browser.set_size(width, 800).await;
            let at = format!("{path} ({what}, {width} wide, dark: {dark})");
            problems.extend(
                overflow(browser, width)
                    .await
                    .map(|found| format!("{at}: {found}")),
            );
            if !RULED.contains(&width) {
                continue;
            }
            let found = browser.axe().await;
            problems.extend(found.iter().map(|violation| format!("{at}: {violation:?}")));
            if let Some(place) = std::env::var_os("REDFLASH_SHOTS") {
                let scheme = if dark { "dark" } else { "light" };
                let page = path.trim_start_matches('/').replace(['/', '?', '='], "-");
                let name = format!("{page}-{what}-{width}-{scheme}.png");
                browser.screenshot(PathBuf::from(place).join(name)).await;
            }
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// Returns the elements that are wider than the page, if any.
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
