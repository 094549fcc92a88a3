//! What the description of the API says of a route.

use std::borrow::Cow;

use axum::http::StatusCode;

/// What the description of the API says of a route, beyond what its path, method and auth say.
///
/// Schemas and parameters are called by their names in `schema/*.json`.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// How programs call it; of all operations only this one.
    pub(crate) id: Cow<'static, str>,
    /// What it belongs to, such as `Contacts`.
    pub(crate) tag: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: Cow<'static, str>,
    /// The parameters of its query: it takes no others.
    pub(crate) parameters: &'static [&'static str],
    /// The headers that it reads.
    pub(crate) headers: &'static [&'static str],
    /// The schema of its body.
    pub(crate) body: Option<Cow<'static, str>>,
    /// What it answers when it was done.
    pub(crate) answers: Vec<Answer>,
    /// The statuses with which it refuses, beyond those that every operation of its kind has.
    pub(crate) refusals: &'static [u16],
}

/// An answer to what was done.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The schema of its body.
    pub(crate) schema: Option<Cow<'static, str>>,
    /// The headers that it always has.
    pub(crate) headers: &'static [&'static str],
}

impl Operation {
    /// An operation that takes nothing and answers nothing yet.
    pub(crate) fn new(
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
    pub(crate) const fn asks(mut self, names: &'static [&'static str]) -> Self {
        self.parameters = names;
        self
    }

    /// The same, which reads these headers.
    pub(crate) const fn reads(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    /// The same, with a body of this schema.
    pub(crate) fn takes(mut self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.body = Some(schema.into());
        self
    }

    /// The same, which also refuses with these statuses.
    pub(crate) const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }

    /// The same, which answers 200 with this schema.
    pub(crate) fn gives(self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.answers(StatusCode::OK, Some(schema.into()), &[])
    }

    /// The same, which answers 200 with this schema, and with its revision.
    pub(crate) fn gives_revised(self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.answers(StatusCode::OK, Some(schema.into()), &["ETag"])
    }

    /// The same, which answers 201 with something new of this schema, and with its place and revision.
    pub(crate) fn makes(self, schema: impl Into<Cow<'static, str>>) -> Self {
        self.answers(
            StatusCode::CREATED,
            Some(schema.into()),
            &["Location", "ETag"],
        )
    }

    /// The same, which answers 204.
    pub(crate) fn ends(self) -> Self {
        self.answers(StatusCode::NO_CONTENT, None, &[])
    }

    /// The same, with one more answer.
    pub(crate) fn answers(
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
