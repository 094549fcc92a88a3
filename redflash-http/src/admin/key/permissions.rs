//! The permissions of an API key: their form, and their summary.

use std::collections::BTreeSet;

use redflash_core::Engine;
use redflash_core::model::{ApiKey, Scope, Target};
use redflash_core::store::StoreError;
use serde::Serialize;

use crate::admin::ui::field::{Checklist, Choice, Field};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormErrors};

/// The permissions of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permissions {
    inspect: bool,
    admin: bool,
    scope: Scope,
}

/// The fields for permissions: `{{> partials/permissions page.permissions}}`.
#[derive(Serialize)]
pub(crate) struct Fields {
    scope: Field,
    targets: Checklist,
    inspect: Field,
    admin: Field,
}

/// Returns a short description of a key's permissions.
pub(crate) fn summary(key: &ApiKey) -> String {
    let raises = match &key.scope {
        Scope::All => "raise all targets".to_owned(),
        Scope::Only(targets) => match targets.len() {
            0 => "raise no targets".to_owned(),
            1 | 2 => {
                let targets: Vec<_> = targets.iter().map(Target::to_string).collect();
                format!("raise {}", targets.join(" and "))
            }
            count => format!("raise {count} targets"),
        },
    };
    let more = match (key.admin, key.inspect) {
        (true, _) => ", read and change all data",
        (false, true) => ", read all data",
        (false, false) => "",
    };
    format!("{raises}{more}")
}

impl Permissions {
    pub(crate) fn of(key: &ApiKey) -> Self {
        Self {
            inspect: key.inspect,
            admin: key.admin,
            scope: key.scope.clone(),
        }
    }

    /// Reads the permissions from a form.
    pub(crate) fn parse(form: &Form, errors: &mut FieldErrors) -> Self {
        let targets = form.all("targets");
        let targets = targets.filter_map(|text| errors.take("targets", text.parse::<Target>()));
        let targets: BTreeSet<_> = targets.collect();
        let scope = match form.get("scope") {
            "all" => Scope::All,
            "only" => {
                if !form.has("targets") {
                    let message = "select at least one target, or allow all targets";
                    errors.add("targets", message);
                }
                Scope::Only(targets)
            }
            _ => {
                errors.add("scope", "choose which targets the API key may raise");
                Scope::All
            }
        };
        let admin = form.is_on("admin");
        Self {
            inspect: admin || form.is_on("inspect"),
            admin,
            scope,
        }
    }

    /// Replaces the permissions of a key.
    pub(crate) fn apply_to(&self, key: &mut ApiKey) {
        key.inspect = self.inspect;
        key.admin = self.admin;
        key.scope = self.scope.clone();
    }
}

impl Fields {
    pub(crate) async fn new(
        engine: &Engine,
        permissions: &Permissions,
        errors: Option<&FormErrors>,
    ) -> Result<Self, StoreError> {
        let error = |field| errors.and_then(|errors| errors.error(field));
        let choice = |value: &str, label: &str, chosen| Choice {
            value: value.into(),
            label: label.into(),
            detail: None,
            chosen,
        };
        let none = BTreeSet::new();
        let (all, chosen) = match &permissions.scope {
            Scope::All => (true, &none),
            Scope::Only(targets) => (false, targets),
        };
        let scopes = vec![
            choice("all", "All targets", all),
            choice("only", "Selected targets", !all),
        ];
        Ok(Self {
            scope: Field::select("scope", "May raise", scopes).error(error("scope")),
            targets: Checklist {
                name: "targets",
                legend: "Selected targets".into(),
                options: options(engine, chosen).await?,
                error: error("targets"),
            },
            inspect: Field::checkbox("inspect", "Read access", permissions.inspect)
                .hint("Read all data, including addresses and notifications."),
            admin: Field::checkbox("admin", "Admin access", permissions.admin)
                .hint("Read and change all data through the API. For provisioning tools."),
        })
    }
}

/// Returns all targets, chosen ones first, including those that no longer exist.
async fn options(engine: &Engine, chosen: &BTreeSet<Target>) -> Result<Vec<Choice>, StoreError> {
    let store = engine.store();
    let mut named = Vec::new();
    for contact in store.contacts().await? {
        named.push((Target::Contact(contact.slug), contact.name.to_string()));
    }
    for group in store.groups().await? {
        named.push((Target::Group(group.slug), group.name.to_string()));
    }
    for event in store.events().await? {
        named.push((Target::Event(event.slug), event.name.to_string()));
    }
    let is_known = |target: &Target| named.iter().any(|(known, _)| known == target);
    let removed = chosen.iter().filter(|target| !is_known(target));
    let removed = removed.map(|target| (target.clone(), "removed".to_owned()));
    let removed: Vec<_> = removed.collect();
    let choices = removed
        .into_iter()
        .chain(named)
        .map(|(target, name)| Choice {
            label: name,
            detail: Some(target.to_string()),
            chosen: chosen.contains(&target),
            value: target.to_string(),
        });
    let mut choices: Vec<_> = choices.collect();
    choices.sort_by_key(|choice| !choice.chosen);
    Ok(choices)
}

#[cfg(test)]
mod tests {
    use redflash_core::clock::Timestamp;

    use super::*;

    fn parsed(query: &str) -> (String, bool) {
        let form = Form::parse(query.as_bytes()).unwrap();
        let mut errors = FieldErrors::default();
        let permissions = Permissions::parse(&form, &mut errors);
        let (slug, now) = ("app".parse().unwrap(), Timestamp::default());
        let (mut key, _) = ApiKey::generate(slug, true, Scope::All, now);
        permissions.apply_to(&mut key);
        assert_eq!(Permissions::of(&key), permissions);
        (summary(&key), errors.is_empty())
    }

    #[test]
    fn applies_chosen_permissions() {
        let fine = |summary: &str| (summary.to_owned(), true);
        assert_eq!(
            parsed("scope=all&targets=event/a"),
            fine("raise all targets")
        );
        let only = "scope=only&targets=event/a&targets=contact/b";
        assert_eq!(parsed(only), fine("raise contact/b and event/a"));
        let three = "scope=only&targets=event/a&targets=event/b&targets=event/c&inspect=true";
        assert_eq!(parsed(three), fine("raise 3 targets, read all data"));
        let admin = "raise all targets, read and change all data";
        assert_eq!(parsed("scope=all&admin=true"), fine(admin));
        assert!(!parsed("").1);
        assert!(!parsed("scope=only").1);
        assert!(!parsed("scope=only&targets=x").1);
    }
}
