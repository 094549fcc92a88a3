//! A message as a mail.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use redflash_core::{
    Address, AddressError, Arguments, OutboundMessage, SendError, Template, report,
};

use super::SmtpConfig;
use crate::ConfigError;

/// What all mails of a gateway have in common.
pub(super) struct Letterhead {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    subject: Template,
}

impl Letterhead {
    pub(super) fn new(config: &SmtpConfig) -> Result<Self, ConfigError> {
        let reply_to = config.reply_to.as_deref();
        Ok(Self {
            from: mailbox("from", &config.from)?,
            reply_to: reply_to.map(|text| mailbox("reply_to", text)).transpose()?,
            subject: Template::parse(&config.subject)
                .map_err(|fault| ConfigError::at("subject", fault.to_string()))?,
        })
    }

    /// The envelope and the mail as it goes over the line, dots not yet stuffed.
    pub(super) fn write(
        &self,
        message: &OutboundMessage,
    ) -> Result<(Envelope, Vec<u8>), SendError> {
        let to: lettre::Address = message.to.as_str().parse().map_err(invalid)?;
        let millis = u64::try_from(message.at.as_millis()).unwrap_or_default();
        let mut mail = lettre::Message::builder()
            .from(self.sender(message.sender.as_deref()))
            .to(Mailbox::new(None, to))
            .subject(self.subject(message))
            .message_id(Some(message_id(self, message)))
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .header(ContentType::TEXT_PLAIN);
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(reply_to.clone());
        }
        let mut mail = mail
            .body(body(message))
            .map_err(|fault| SendError::Rejected {
                reason: report(&fault),
            })?;
        // So that nobody's absence assistant answers (RFC 3834).
        mail.headers_mut().insert_raw(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".into(),
        ));
        Ok((mail.envelope().clone(), mail.formatted()))
    }

    /// The event's own sender: a mailbox in the place of the gateway's, or a name before it.
    fn sender(&self, wanted: Option<&str>) -> Mailbox {
        match wanted {
            None => self.from.clone(),
            Some(text) => text
                .parse()
                .unwrap_or_else(|_| Mailbox::new(Some(line(text)), self.from.email.clone())),
        }
    }

    fn subject(&self, message: &OutboundMessage) -> String {
        let mut arguments = Arguments::new();
        arguments.insert("subject".into(), message.subject.clone().into());
        arguments.insert("message".into(), message.body.clone().into());
        let subject = match self.subject.render(&arguments, message.at) {
            Ok(rendered) => rendered.text,
            // A subject that fails is no reason to lose the mail.
            Err(_) => message.subject.clone(),
        };
        line(&subject)
    }
}

/// A text as one line that a header can hold.
fn line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The same for every attempt at a delivery (RFC 5322, section 3.6.4).
pub(super) fn message_id(letterhead: &Letterhead, message: &OutboundMessage) -> String {
    format!("<{}@{}>", message.delivery, letterhead.from.email.domain())
}

fn body(message: &OutboundMessage) -> String {
    format!(
        "{}\n\n-- \nNotification {}\n",
        message.body.trim_end(),
        message.notification
    )
}

fn invalid(fault: lettre::address::AddressError) -> SendError {
    SendError::InvalidAddress {
        reason: report(&fault),
    }
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, ConfigError> {
    text.parse().map_err(|_| {
        let reason = "it must be an address, such as \"RedFlash <alerts@example.org>\"";
        ConfigError::at(key, reason)
    })
}

/// Brings one mail address into its normal form: the domain in lower case.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let text = raw.trim();
    if !text.is_ascii() {
        return Err(AddressError::new(
            "a mail address is plain ASCII: write a foreign domain in its xn-- form",
        ));
    }
    let address: lettre::Address = text.parse().map_err(|_| {
        AddressError::new(format!(
            "{text:?} is no mail address: write one address, such as ann@example.org"
        ))
    })?;
    let domain = address.domain().to_ascii_lowercase();
    Address::new(format!("{}@{domain}", address.user()))
}

#[cfg(test)]
mod tests {
    use redflash_core::{DeliveryId, NotificationId, Timestamp};

    use super::*;

    fn letterhead(change: impl Fn(&mut SmtpConfig)) -> Letterhead {
        let mut config = SmtpConfig::new("localhost", "RedFlash <alerts@example.org>");
        change(&mut config);
        Letterhead::new(&config).unwrap()
    }

    fn message() -> OutboundMessage {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let notification = NotificationId::new(now);
        OutboundMessage {
            notification,
            delivery: DeliveryId::new(notification, 1),
            attempt: 1,
            at: now,
            to: Address::new("ann@example.org").unwrap(),
            subject: "Disk full".into(),
            body: "The disk of db1 is full.".into(),
            sender: None,
            origin: None,
        }
    }

    fn written(letterhead: &Letterhead, message: &OutboundMessage) -> String {
        String::from_utf8(letterhead.write(message).unwrap().1).unwrap()
    }

    #[test]
    fn addresses_have_one_form() {
        let same = [" Ann@Example.ORG ", "Ann@example.org"].map(parse_address);
        assert_eq!(same[0], same[1]);
        assert_eq!(same[0].as_ref().unwrap().as_str(), "Ann@example.org");
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "a@x.org,b@y.org",
            "a@x.org b@y.org",
            "a@x.org\r\nBcc: e@x.org",
            "Ann <ann@example.org>",
            "ann@exämple.org",
            "a@b@c",
        ] {
            assert!(parse_address(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_mail_says_what_whom_and_which() {
        let letterhead = letterhead(|config| {
            config.reply_to = Some("ops@example.org".into());
            config.subject = "[alert] {{subject}}".into();
        });
        let message = message();
        let mail = written(&letterhead, &message);
        for line in [
            "From: RedFlash <alerts@example.org>",
            "To: ann@example.org",
            "Reply-To: ops@example.org",
            "Subject: [alert] Disk full",
            "Auto-Submitted: auto-generated",
            &format!("Message-ID: <{}@example.org>", message.delivery),
            "The disk of db1 is full.",
            &format!("Notification {}", message.notification),
        ] {
            assert!(
                mail.contains(&format!("{line}\r\n")),
                "{line} is not in\n{mail}"
            );
        }
    }

    #[test]
    fn an_events_sender_is_an_address_or_a_name() {
        let letterhead = letterhead(|_| {});
        let mut message = message();
        message.sender = Some("Backups <backup@example.org>".into());
        assert!(written(&letterhead, &message).contains("From: Backups <backup@example.org>\r\n"));
        message.sender = Some("Backups".into());
        assert!(written(&letterhead, &message).contains("From: Backups <alerts@example.org>\r\n"));
    }

    #[test]
    fn nothing_adds_a_line_to_the_head() {
        let letterhead = letterhead(|_| {});
        let mut message = message();
        message.subject = "a\r\nBcc: eve@example.org".into();
        message.sender = Some("x\r\nBcc: eve@example.org".into());
        let mail = written(&letterhead, &message);
        assert!(!mail.to_lowercase().contains("\r\nbcc:"), "{mail}");
    }

    #[test]
    fn impossible_settings_are_refused_by_their_key() {
        type Change = fn(&mut SmtpConfig);
        let cases: [(&str, Change); 6] = [
            ("from", |config| config.from = "nobody".into()),
            ("reply_to", |config| config.reply_to = Some("a b".into())),
            ("subject", |config| config.subject = "{{#if".into()),
            ("host", |config| config.host.clear()),
            ("port", |config| config.port = Some(0)),
            ("username", |config| config.username = Some("alerts".into())),
        ];
        for (key, change) in cases {
            let mut config = SmtpConfig::new("localhost", "alerts@example.org");
            change(&mut config);
            let fault = super::super::Smtp::new(config).unwrap_err();
            assert_eq!(fault.key.as_deref(), Some(key), "{fault}");
        }
    }
}
