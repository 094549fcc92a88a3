//! A cache of parsed templates, since parsing one takes longer than rendering it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::Template;

/// Maximum number of templates kept.
const MAX_TEMPLATES: usize = 200;

static PARSED: LazyLock<Mutex<HashMap<String, Template>>> = LazyLock::new(Mutex::default);

pub(super) fn get(source: &str) -> Option<Template> {
    let parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    parsed.get(source).cloned()
}

pub(super) fn keep(source: &str, template: &Template) {
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if parsed.len() >= MAX_TEMPLATES {
        parsed.clear();
    }
    parsed.insert(source.to_owned(), template.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_is_bounded() {
        for number in 0..2 * MAX_TEMPLATES {
            Template::parse(&format!("{number} {{{{host}}}}")).expect("a template");
        }
        let kept = PARSED.lock().expect("not poisoned").len();
        assert!((1..=MAX_TEMPLATES).contains(&kept), "{kept}");
        assert!(Template::parse("{{#if").is_err() && get("{{#if").is_none());
    }
}
