//! What is asked for when an alert is raised.

use crate::{Arguments, ChannelKind, CheckedKey, Content, EndpointId, Idempotency, Slug, Target};

/// What is asked for: a notification at a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Raise {
    target: Target,
    content: Content,
    /// The key it is raised with; `None` in-process or by an operator.
    pub raised_by: Option<Slug>,
    /// The caller's promise that two requests are the same one.
    pub idempotency: Option<Idempotency>,
    /// The channel that is not used.
    pub except: Option<ChannelKind>,
    /// The one endpoint that is used.
    pub only: Option<EndpointId>,
    /// True if the raise is refused when arguments are missing or of no use to the event.
    pub strict: bool,
    /// The directory's version at which the key was looked at.
    pub(crate) checked_at: Option<u64>,
}

impl Raise {
    /// The most bytes of text or arguments that an alert has, unless the engine is
    /// [built](crate::EngineBuilder::max_content) for others.
    pub const MAX_CONTENT: usize = 4 * 1024 * 1024;

    /// The most arguments of an event.
    pub const MAX_ARGUMENTS: usize = 1000;

    /// Tells one contact this text.
    pub fn contact(slug: Slug, message: impl Into<String>) -> Self {
        Self::new(Target::Contact(slug), Content::Message(message.into()))
    }

    /// Tells everybody in a group this text.
    pub fn group(slug: Slug, message: impl Into<String>) -> Self {
        Self::new(Target::Group(slug), Content::Message(message.into()))
    }

    /// Tells everybody whom an event names, in the event's words.
    pub const fn event(slug: Slug, arguments: Arguments) -> Self {
        Self::new(Target::Event(slug), Content::Arguments(arguments))
    }

    /// Asks for a notification with this content at a target.
    ///
    /// A contact or a group gets a [message](Content::Message), an event [arguments](Content::Arguments);
    /// other arguments make an empty message, which is refused.
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

    /// The same, in the name of this API key, whatever it allows.
    #[must_use]
    pub fn by(mut self, key: Slug) -> Self {
        self.raised_by = Some(key);
        self
    }

    /// The same, raised with this API key, which is looked at again should anything have changed
    /// since it was checked.
    #[must_use]
    pub fn with_key(mut self, checked: &CheckedKey) -> Self {
        self.raised_by = Some(checked.key.slug.clone());
        self.checked_at = Some(checked.version);
        self
    }

    /// The same, with the caller's promise.
    #[must_use]
    pub fn idempotent(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// The same, through any channel but this.
    #[must_use]
    pub fn except(mut self, channel: ChannelKind) -> Self {
        self.except = Some(channel);
        self
    }

    /// The same, to this endpoint and no other: to try it out.
    #[must_use]
    pub const fn only(mut self, endpoint: EndpointId) -> Self {
        self.only = Some(endpoint);
        self
    }

    /// The same, refused when arguments are missing or of no use to the event.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// What it is raised at.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// What is to be said.
    pub const fn content(&self) -> &Content {
        &self.content
    }
}
