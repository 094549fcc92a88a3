//! What the description of the API says of a route.

use std::borrow::Cow;

use axum::http::StatusCode;

/// What the description of the API says of a route, beyond what its path, method and door say.
///
/// Schemas and parameters are called by their names in `schema/*.json`.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// How programs call it; of all operations only this one.
    pub(super) id: Cow<'static, str>,
    /// What it belongs to, such as `Contacts`.
    pub(super) tag: &'static str,
    /// What it does, in a few words.
    pub(super) summary: Cow<'static, str>,
    /// The parameters of its query: it takes no others.
    pub(super) parameters: &'static [&'static str],
    /// The headers that it reads.
    pub(super) headers: &'static [&'static str],
    /// The schema of its body.
    pub(super) body: Option<Cow<'static, str>>,
    /// What it answers when it was done.
    pub(super) answers: Vec<Answer>,
    /// The statuses with which it refuses, beyond those that every operation of its kind has.
    pub(super) refusals: &'static [u16],
}

/// An answer to what was done.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The schema of its body.
    pub(super) schema: Option<Cow<'static, str>>,
    /// The headers that it always has.
    pub(super) headers: &'static [&'static str],
}

impl Operation {
    /// An operation that takes nothing and answers nothing yet.
    pub(super) fn new(
        id: impl Into<Cow<'static, str>>,
        tag: &'static str,
        summary: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            id: id.into(),
            tag,
            summary: summary.into(),
            parameters: &[],
            headers: &[],
            body: None,
            answers: Vec::new(),
            refusals: &[],
        }
    }

    /// The parameters of its query.
    pub(crate) const fn query(&self) -> &'static [&'static str] {
        self.parameters
    }

    /// The same, with these parameters in its query.
    pub(super) const fn asks(mut self, names: &'static [&'static str]) -> Self {
        self.parameters = names;
        self
    }

    /// The same, which reads these headers.
    pub(super) const fn reads(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    /// The same, with a body of this schema.
    pub(super) fn takes(mut self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.body = Some(schema.into());
        self
    }

    /// The same, which also refuses with these statuses.
    pub(super) const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// The same, which answers 200 with this schema.
    pub(super) fn gives(self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.answers(StatusCode::OK, Some(schema.into()), &[])
    }

    /// The same, which answers 200 with this schema, and with its revision.
    pub(super) fn gives_revised(self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.answers(StatusCode::OK, Some(schema.into()), &["ETag"])
    }

    /// The same, which answers 201 with something new of this schema, and with its place and revision.
    pub(super) fn makes(self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.answers(
            StatusCode::CREATED,
            Some(schema.into()),
            &["Location", "ETag"],
        )
    }

    /// The same, which answers 204.
    pub(super) fn ends(self) -> Self {
        self.answers(StatusCode::NO_CONTENT, None, &[])
    }

    /// The same, with one more answer.
    pub(super) fn answers(
        mut self,
        status: StatusCode,
        schema: Option<Cow<'static, str>>,
        headers: &'static [&'static str],
    ) -> Self {
        self.answers.push(Answer {
            status,
            schema,
            headers,
        });
        self
    }
}
