//! One row of a table of routes: a URL with its handler and the access that it requires.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, any, on};

use crate::api::openapi::operation::Operation;
use crate::app::App;

/// One method of one URL.
#[derive(Debug)]
pub struct Route {
    /// The method; `None` for every one.
    pub method: Option<Method>,
    /// The path, with `{names}` of its parts.
    pub path: &'static str,
    /// The access that it requires.
    pub auth: Auth,
    /// Its entry in the description of the API.
    pub(crate) operation: Option<Operation>,
    pub(crate) handler: MethodRouter<Arc<App>>,
}

/// The access that a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// No authentication.
    Public,
    /// Authentication by the handler: a key as the old contract has it, or a gateway's secret.
    Handler,
    /// An API key in the `Authorization` header.
    ApiKey(Permission),
    /// The session of a logged-in user, with a form token for every request that changes something.
    Session(Permission),
}

/// The permission that a key or a user needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// No particular permission: the handler decides on the contents.
    Any,
    /// Permission to read everything: a key that may inspect, or a viewer.
    View,
    /// Permission to change everything: a key with the right `admin`, or an admin.
    Admin,
}

impl Route {
    /// Returns a route for one method.
    pub(crate) fn new<T: 'static>(
        method: Method,
        path: &'static str,
        auth: Auth,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        let filter = MethodFilter::try_from(method.clone()).expect("an ordinary method");
        Self {
            method: Some(method),
            path,
            auth,
            operation: None,
            handler: on(filter, handler),
        }
    }

    /// Returns a route for all methods.
    pub(crate) fn any<T: 'static>(
        path: &'static str,
        auth: Auth,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        Self {
            method: None,
            path,
            auth,
            operation: None,
            handler: any(handler),
        }
    }

    /// Adds the entry in the description of the API.
    pub(crate) fn described(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }
}
