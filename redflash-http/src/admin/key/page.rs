//! The page of an API key.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::engine::Revision;
use redflash_core::model::Slug;
use serde::Serialize;

use crate::admin::crud;
use crate::admin::crud::Rejected;
use crate::admin::key::permissions;
use crate::admin::key::permissions::Permissions;
use crate::admin::ui::field::{Confirm, Switch};
use crate::admin::ui::form_error::{FieldErrors, Notice};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;
use crate::admin::urls;

#[derive(Serialize)]
struct Page {
    slug: String,
    enabled: bool,
    hint: String,
    permissions: String,
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
/// * `rejected` - the form that was sent, with its errors.
pub(crate) async fn show(
    context: &PageContext,
    slug: &Slug,
    rejected: Rejected<'_>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let key = engine.store().api_key(slug).await?;
    let key = key.ok_or_else(|| PageError::missing(format!("API key {slug}")))?;
    let used_at = engine.store().key_usage().await?.get(slug).copied();
    let summary = permissions::summary(&key);
    let errors = rejected.map(|(_, errors)| errors);
    let typed = rejected.map(|(form, _)| Permissions::parse(form, &mut FieldErrors::default()));
    let permissions = typed.unwrap_or_else(|| Permissions::of(&key));
    let url = urls::key(slug);
    let page = Page {
        slug: slug.to_string(),
        enabled: key.enabled,
        hint: key.hint.clone(),
        created_at: key.created_at,
        used_at,
        switch: crud::switch(&key, context),
        notice: errors.map(|errors| errors.notice(vec![format!("Permissions: {summary}")])),
        permissions: summary,
        version: Revision::of(&key).to_string(),
        fields: permissions::Fields::new(engine, &permissions, errors).await?,
        remove: Confirm {
            action: format!("{url}/delete"),
            ask: "Remove API key…".into(),
            text: "Requests with this API key will be refused. This cannot be undone.".into(),
            button: format!("Remove {slug}"),
            open: false,
        },
        action: url,
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    let title = format!("API key {slug}");
    Ok(context.page_with(status, "key", Section::Keys, &title, page))
}
