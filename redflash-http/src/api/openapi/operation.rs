//! Operations of the API: the part of a route that only its description needs.

use std::borrow::Cow;

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Adds the schema of a type to a document and returns a reference to it.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Description of a route, beyond its path, method and authentication.
///
/// Parameters and headers are named as in [`parameter`](super::parameter).
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Unique name for generated clients, such as `listContacts`.
    pub(crate) id: Cow<'static, str>,
    /// Heading under which it is listed, such as `Contacts`.
    pub(crate) tag: &'static str,
    /// One-line summary.
    pub(crate) summary: Cow<'static, str>,
    /// Query parameters; any other is rejected.
    pub(crate) parameters: &'static [&'static str],
    /// Request headers that affect it.
    pub(crate) headers: &'static [&'static str],
    /// Schema of the request body.
    pub(crate) body: Option<SchemaOf>,
    /// Successful responses.
    pub(crate) responses: Vec<Success>,
    /// Error statuses beyond those that all operations with this authentication share.
    pub(crate) errors: &'static [u16],
}

/// A successful response.
#[derive(Clone, Debug)]
pub(crate) struct Success {
    pub(crate) status: StatusCode,
    /// Schema of the body.
    pub(crate) body: Option<SchemaOf>,
    /// Headers that are always present.
    pub(crate) headers: &'static [&'static str],
}

impl Operation {
    /// Creates an operation without parameters, body and responses.
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
            responses: Vec::new(),
            errors: &[],
        }
    }

    /// Returns the names of its query parameters.
    pub(crate) const fn query(&self) -> &'static [&'static str] {
        self.parameters
    }

    /// Sets the query parameters.
    pub(crate) const fn parameters(mut self, names: &'static [&'static str]) -> Self {
        self.parameters = names;
        self
    }

    /// Sets the request headers.
    pub(crate) const fn headers(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    /// Sets the request body.
    pub(crate) fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Adds error statuses.
    pub(crate) const fn errors(mut self, statuses: &'static [u16]) -> Self {
        self.errors = statuses;
        self
    }

    /// Adds response 200 with a body.
    pub(crate) fn ok<T: JsonSchema>(self) -> Self {
        self.response::<T>(StatusCode::OK, &[])
    }

    /// Adds response 200 with a body and its revision.
    pub(crate) fn ok_with_etag<T: JsonSchema>(self) -> Self {
        self.response::<T>(StatusCode::OK, &["ETag"])
    }

    /// Adds response 201 with a new resource, its URL and its revision.
    pub(crate) fn created<T: JsonSchema>(self) -> Self {
        self.response::<T>(StatusCode::CREATED, &["Location", "ETag"])
    }

    /// Adds response 204.
    pub(crate) fn no_content(self) -> Self {
        self.empty_response(StatusCode::NO_CONTENT, &[])
    }

    /// Adds a response with a body.
    pub(crate) fn response<T: JsonSchema>(
        mut self,
        status: StatusCode,
        headers: &'static [&'static str],
    ) -> Self {
        self.responses.push(Success {
            status,
            body: Some(SchemaGenerator::subschema_for::<T>),
            headers,
        });
        self
    }

    /// Adds a response without a body.
    pub(crate) fn empty_response(
        mut self,
        status: StatusCode,
        headers: &'static [&'static str],
    ) -> Self {
        self.responses.push(Success {
            status,
            body: None,
            headers,
        });
        self
    }
}
