//! The page of a key.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::{Revision, Slug, Timestamp};
use serde::Serialize;

use crate::admin::key::list;
use crate::admin::key::permissions;
use crate::admin::key::permissions::Rights;
use crate::admin::ui::field::{Confirm, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Rejection};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;

#[derive(Serialize)]
struct Page {
    slug: String,
    enabled: bool,
    hint: String,
    rights: String,
    created_at: Timestamp,
    used_at: Option<Timestamp>,
    switch: Switch,
    notice: Option<Notice>,
    action: String,
    version: String,
    fields: permissions::Fields,
    remove: Confirm,
}

/// Shows a key.
///
/// * `refused` - the form that was sent, and why the page is shown again.
pub(crate) async fn show(
    desk: &PageContext,
    slug: &Slug,
    refused: Option<(&Form, &Rejection)>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let key = engine.store().api_key(slug).await?;
    let key = key.ok_or_else(|| PageError::missing(format!("API key {slug}")))?;
    let used_at = engine.store().key_uses().await?.get(slug).copied();
    let words = permissions::words(&key);
    let rejection = refused.map(|(_, rejection)| rejection);
    let typed = refused.map(|(form, _)| Rights::typed(form, &mut Faults::default()));
    let rights = typed.unwrap_or_else(|| Rights::of(&key));
    let url = list::url(slug);
    let page = Page {
        slug: slug.to_string(),
        enabled: key.enabled,
        hint: key.hint.clone(),
        created_at: key.created_at,
        used_at,
        switch: list::switch_of(&key),
        notice: rejection.map(|rejection| rejection.notice(vec![format!("Permissions: {words}")])),
        rights: words,
        version: Revision::of(&key).to_string(),
        fields: permissions::Fields::new(engine, &rights, rejection).await?,
        remove: Confirm {
            action: format!("{url}/delete"),
            ask: "Remove API key…".into(),
            text: "Requests with this API key will be refused. This cannot be undone.".into(),
            button: format!("Remove {slug}"),
            open: false,
        },
        action: url,
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    let title = format!("API key {slug}");
    Ok(desk.page_with(status, "key", Section::Keys, &title, page))
}
