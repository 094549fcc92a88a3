//! The stages of a conversation with a mail server.

/// The stage of a conversation with a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connection, greeting, EHLO and TLS.
    Connect,
    /// Authentication.
    Login,
    /// `MAIL FROM`.
    Sender {
        /// True if the address is the gateway's own rather than an event's.
        is_ours: bool,
    },
    /// `RCPT TO`.
    Recipient,
    /// `DATA`.
    Data,
    /// The text is being sent: from here on the server may have accepted it.
    Content,
}
