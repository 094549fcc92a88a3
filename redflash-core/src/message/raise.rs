//! Requests for a notification.

use crate::message::{Content, Idempotency};
use crate::model::{ChannelKind, CheckedKey, EndpointId, Slug, Target};
use crate::template::Arguments;

/// A request for a notification at a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Raise {
    target: Target,
    content: Content,
    /// The API key it is raised with; `None` in-process or by an operator.
    pub raised_by: Option<Slug>,
    /// Idempotency key of the request.
    pub idempotency: Option<Idempotency>,
    /// A channel that must not be used.
    pub except: Option<ChannelKind>,
    /// The only endpoint to use.
    pub only: Option<EndpointId>,
    /// True if missing or unused arguments refuse the raise.
    pub strict: bool,
    /// Version of the directory when the key was checked.
    pub(crate) checked_at: Option<u64>,
}

impl Raise {
    /// The default limit on the bytes of text or arguments; see
    /// [`max_content`](crate::engine::EngineBuilder::max_content).
    pub const MAX_CONTENT: usize = 4 * 1024 * 1024;

    /// The maximum number of arguments.
    pub const MAX_ARGUMENTS: usize = 1000;

    /// Creates a raise of one contact with this text.
    pub fn contact(slug: Slug, message: impl Into<String>) -> Self {
        Self::new(Target::Contact(slug), Content::Message(message.into()))
    }

    /// Creates a raise of all members of a group with this text.
    pub fn group(slug: Slug, message: impl Into<String>) -> Self {
        Self::new(Target::Group(slug), Content::Message(message.into()))
    }

    /// Creates a raise of an event, whose template renders the arguments.
    pub const fn event(slug: Slug, arguments: Arguments) -> Self {
        Self::new(Target::Event(slug), Content::Arguments(arguments))
    }

    /// Creates a raise of any target.
    ///
    /// Use a [message](Content::Message) for a contact or a group and
    /// [arguments](Content::Arguments) for an event. Arguments for a contact or a group make an
    /// empty message, which is refused.
    pub const fn new(target: Target, content: Content) -> Self {
        Self {
            target,
            content,
            raised_by: None,
            idempotency: None,
            except: None,
            only: None,
            strict: false,
            checked_at: None,
        }
    }

    /// Returns the raise in the name of this API key, without a check of its scope.
    #[must_use]
    pub fn by(mut self, key: Slug) -> Self {
        self.raised_by = Some(key);
        self
    }

    /// Returns the raise with this API key, which is checked again if the directory has changed
    /// since.
    #[must_use]
    pub fn with_key(mut self, checked: &CheckedKey) -> Self {
        self.raised_by = Some(checked.key.slug.clone());
        self.checked_at = Some(checked.version);
        self
    }

    /// Returns the raise with an idempotency key.
    #[must_use]
    pub fn idempotent(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// Returns the raise without this channel.
    #[must_use]
    pub fn except(mut self, channel: ChannelKind) -> Self {
        self.except = Some(channel);
        self
    }

    /// Returns the raise for this endpoint only, to test it.
    #[must_use]
    pub const fn only(mut self, endpoint: EndpointId) -> Self {
        self.only = Some(endpoint);
        self
    }

    /// Returns the raise, which missing or unused arguments refuse if `strict` is true.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Returns the target.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the content.
    pub const fn content(&self) -> &Content {
        &self.content
    }
}
