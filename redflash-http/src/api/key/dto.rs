//! API keys as the API reads and writes them.

use std::collections::BTreeSet;

use redflash_core::clock::Timestamp;
use redflash_core::model::{ApiKey, Scope, Slug, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::extract::json_body::{Optional, Secret, enabled};
use crate::api::openapi::value;
use crate::api::page::Listed;

/// An API key, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Key {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    /// False if requests with the key are rejected.
    enabled: bool,
    /// True if the key may read everything. Always true with the `admin` permission.
    inspect: bool,
    /// True if the key may read and change everything.
    admin: bool,
    #[schemars(with = "value::Scope")]
    scope: Scope,
    /// Prefix and last four characters of the secret.
    hint: String,
    #[schemars(with = "value::Time")]
    created_at: Timestamp,
    /// Time of the last use; null if the key was never used.
    #[schemars(with = "Option<value::Time>")]
    last_used_at: Option<Timestamp>,
}

/// A created key. No other response contains the secret.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct CreatedKey<'a> {
    #[serde(flatten)]
    pub(super) key: Key,
    /// Secret to send as `Authorization: Bearer …`; null if it was imported.
    #[schemars(extend("examples" = ["rfk_…"]))]
    pub(super) secret: Option<&'a str>,
}

/// A key to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    #[schemars(with = "value::Slug")]
    pub(super) slug: Slug,
    /// False if requests with the key are rejected.
    #[serde(default = "enabled")]
    pub(super) enabled: bool,
    /// True if the key may read everything.
    #[serde(default)]
    pub(super) inspect: bool,
    /// True if the key may read and change everything.
    #[serde(default)]
    pub(super) admin: bool,
    /// Targets that the key may raise; null for all.
    #[serde(default)]
    #[schemars(with = "Option<Vec<value::Target>>", extend("examples" = [["event/disk-full"]]))]
    pub(super) only: Option<BTreeSet<Target>>,
    /// Secret of an existing key to import, such as a key of an older service. One that begins with `rfk_`
    /// must have a valid checksum.
    #[serde(default)]
    #[schemars(with = "String", extend(
        "minLength" = 16,
        "maxLength" = 128,
        "pattern" = "^[!-~]{16,128}$",
        "writeOnly" = true,
        "examples" = ["a1b2c3d4e5f6a7b8c9d0"],
    ))]
    pub(super) value: Optional<Secret>,
}

/// Fields of a key to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeyPatch {
    /// False if requests with the key are rejected.
    pub(super) enabled: Optional<bool>,
    /// True if the key may read everything. Always true with the `admin` permission.
    pub(super) inspect: Optional<bool>,
    /// True if the key may read and change everything.
    pub(super) admin: Optional<bool>,
    /// Targets that the key may raise; null for all.
    #[schemars(with = "Option<Vec<value::Target>>", extend("examples" = [["event/disk-full"]]))]
    pub(super) only: Optional<Option<BTreeSet<Target>>>,
}

impl Listed for Key {
    const LIST: &'static str = "keys";
    const PAGE: &'static str = "KeyPage";
}

impl Key {
    pub(super) fn new(key: &ApiKey, last_used_at: Option<Timestamp>) -> Self {
        Self {
            slug: key.slug.clone(),
            enabled: key.enabled,
            inspect: key.inspect,
            admin: key.admin,
            scope: key.scope.clone(),
            hint: key.hint.clone(),
            created_at: key.created_at,
            last_used_at,
        }
    }
}

/// Returns the scope of a key that may raise these targets only, or all.
pub(super) fn scope(only: Option<BTreeSet<Target>>) -> Scope {
    only.map_or(Scope::All, Scope::Only)
}
