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
    /// What it takes to be let in.
    pub auth: Auth,
    /// What the description of the API says of it.
    pub(crate) operation: Option<Operation>,
    pub(crate) handler: MethodRouter<Arc<App>>,
}

/// What it takes to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Nothing.
    Public,
    /// What the handler itself asks for: a key in the way of the old contract, or a gateway's secret.
    Handler,
    /// An API key in the `Authorization` header.
    ApiKey(Permission),
    /// A session of a user who has logged in, and for whatever changes something the token of a form.
    Session(Permission),
}

/// What a key or a user must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing in particular: what may be seen or raised is decided by the handler.
    Any,
    /// To look at everything: a key that may inspect, a viewer.
    View,
    /// To change everything: a key with the right `admin`, an admin.
    Admin,
}

impl Route {
    /// A route for one method.
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

    /// A route that judges the method itself.
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

    /// The same, as the description of the API tells of it.
    pub(crate) fn described(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }
}
