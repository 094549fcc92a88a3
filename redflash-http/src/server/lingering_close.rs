//! A lingering close, so that the response to a request with an unread body is not lost.
//!
//! Closing a socket with unread data resets the connection, and the reset can overtake the response
//! (RFC 9112, section 9.6). So the write side is closed first, and remaining data is read and discarded,
//! within limits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::server::connection_slots::ConnectionSlot;

/// Maximum time for which remaining data is read.
const MAX_TIME: Duration = Duration::from_secs(5);
/// Maximum size of the remaining data that is read, in bytes.
const MAX_DATA: usize = 32 * 1024 * 1024;

/// A flag that is set while a request on this connection has not been read to its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnreadFlag(Arc<AtomicBool>);

impl UnreadFlag {
    fn set(&self, is_unread: bool) {
        self.0.store(is_unread, Ordering::Relaxed);
    }

    /// Tracks the body of a request.
    ///
    /// * `slot` - the slot of its connection, which is notified at the end of the body.
    pub(crate) fn track(&self, body: Incoming, slot: Arc<ConnectionSlot>) -> TrackedBody {
        let tracked = TrackedBody {
            body,
            unread: self.clone(),
            slot,
        };
        tracked.update();
        tracked
    }
}

/// The body of a request, which records when it was read to its end.
#[derive(Debug)]
pub(crate) struct TrackedBody {
    body: Incoming,
    unread: UnreadFlag,
    slot: Arc<ConnectionSlot>,
}

impl TrackedBody {
    fn update(&self) {
        let is_read = self.body.is_end_stream();
        self.unread.set(!is_read);
        if is_read {
            self.slot.received();
        }
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.unread.set(false);
            self.slot.received();
        } else {
            self.update();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection with a lingering close.
#[derive(Debug)]
pub(crate) struct LingeringStream {
    stream: TcpStream,
    unread: UnreadFlag,
    /// The limits of time and data after the write side was closed.
    closing: Option<(Pin<Box<Sleep>>, usize)>,
}

impl LingeringStream {
    pub(crate) fn new(stream: TcpStream, unread: UnreadFlag) -> Self {
        Self {
            stream,
            unread,
            closing: None,
        }
    }

    /// Reads and discards the remaining data, up to the limits.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((until, left)) = &mut self.closing else {
            return Poll::Ready(());
        };
        let mut space = [0; 16 * 1024];
        while *left > 0 {
            if until.as_mut().poll(context).is_ready() {
                break;
            }
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    *left = left.saturating_sub(buffer.filled().len());
                }
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for LingeringStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            // This data may belong to a request that is never read.
            self.unread.set(true);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LingeringStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            let left = if self.unread.0.load(Ordering::Relaxed) {
                MAX_DATA
            } else {
                0
            };
            self.closing = Some((Box::pin(sleep(MAX_TIME)), left));
        }
        self.poll_drain(context).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
