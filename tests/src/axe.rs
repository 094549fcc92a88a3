//! The rules of accessibility, by axe-core.

use std::{fmt, fs};

use serde_json::Value;

use crate::Browser;
use crate::fetched::fetched;

/// Which rules a page is held to: WCAG 2.2 AA, and what is good practice beyond.
const TAGS: &str =
    r#"["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]"#;

/// A rule that a page breaks.
#[derive(Clone)]
pub struct Violation {
    /// The rule's name, such as `color-contrast`.
    pub id: String,
    /// The rule's explanation.
    pub help: String,
    /// The HTML of each element that breaks it, and what is wrong with it.
    pub nodes: Vec<String>,
}

impl Browser {
    /// Returns the accessibility violations of the current page.
    pub async fn axe(&self) -> Vec<Violation> {
        let axe = fs::read_to_string(fetched("node_modules/axe-core/axe.min.js")).unwrap();
        // It would load the page's style sheets a second time, which a policy can forbid.
        let run = format!(
            "{axe};
             const done = arguments[arguments.length - 1];
             axe.run({{ runOnly: {TAGS}, resultTypes: ['violations'], preload: false }})
                .then(found => done(found.violations), error => done(String(error)));"
        );
        let found = self.execute_async(&run).await;
        let found = found
            .as_array()
            .unwrap_or_else(|| panic!("axe fails: {found}"));
        found.iter().map(Violation::of).collect()
    }
}

impl Violation {
    fn of(found: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let nodes = found["nodes"].as_array().into_iter().flatten();
        Self {
            id: text(&found["id"]),
            help: text(&found["help"]),
            nodes: nodes
                .map(|node| format!("{}\n{}", text(&node["html"]), text(&node["failureSummary"])))
                .collect(),
        }
    }
}

/// For the text of a failed assertion, so line by line.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.help)?;
        self.nodes.iter().try_for_each(|node| write!(f, "\n{node}"))
    }
}
