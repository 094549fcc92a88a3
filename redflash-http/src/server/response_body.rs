//! The body of a response, which keeps its request in progress until it was sent completely.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use crate::server::connection_slots::ActiveRequest;

/// The body of a response. On drop, its connection is idle again.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    body: Body,
    _under_way: ActiveRequest,
}

impl ResponseBody {
    pub(crate) fn new(body: Body, active: ActiveRequest) -> Self {
        Self {
            body,
            _under_way: active,
        }
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
