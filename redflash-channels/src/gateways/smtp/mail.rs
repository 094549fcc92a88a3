//! Formats a message as a mail.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use redflash_core::error_chain;
use redflash_core::message::{OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, MissingArguments};
use redflash_core::template::{Arguments, Template};

use super::{SmtpConfig, encoded_word};
use crate::ConfigError;

/// The common headers of all mails of a gateway.
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
                .map_err(|error| ConfigError::at("subject", error.to_string()))?,
        })
    }

    /// Returns the gateway's own address.
    pub(super) const fn from(&self) -> &lettre::Address {
        &self.from.email
    }

    /// Returns the envelope and the formatted mail, before dot-stuffing.
    pub(super) fn write(
        &self,
        message: &OutboundMessage,
    ) -> Result<(Envelope, Vec<u8>), SendError> {
        let to: lettre::Address = message.to.as_str().parse().map_err(invalid)?;
        let millis = u64::try_from(message.at.as_millis()).unwrap_or_default();
        let sender = self.sender(message.sender.as_deref());
        let subject = self.subject(message);
        let mut mail = lettre::Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(None, to))
            .subject(subject.clone())
            .message_id(Some(message_id(self, message)))
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN);
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(reply_to.clone());
        }
        let mut mail = mail
            .body(body(message))
            .map_err(|error| SendError::Rejected {
                reason: error_chain(&error),
            })?;
        let headers = mail.headers_mut();
        // Prevents automatic replies, such as out-of-office messages (RFC 3834).
        headers.insert_raw(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".into(),
        ));
        if encoded_word::looks_like_one(&subject) {
            headers.insert_raw(encoded_word::subject(subject));
        }
        for (name, mailbox) in [
            ("From", Some(&sender)),
            ("Reply-To", self.reply_to.as_ref()),
        ] {
            if let Some(value) = mailbox.and_then(|mailbox| encoded_word::mailbox(name, mailbox)) {
                headers.insert_raw(value);
            }
        }
        Ok((mail.envelope().clone(), mail.formatted()))
    }

    /// Returns the sender of an event: a mailbox, or a display name for the gateway's.
    fn sender(&self, sender: Option<&str>) -> Mailbox {
        match sender {
            None => self.from.clone(),
            Some(text) => text
                .parse()
                .unwrap_or_else(|_| Mailbox::new(Some(line(text)), self.from.email.clone())),
        }
    }

    /// Returns the subject on one line; the mail folds it (RFC 5322, section 2.2.3).
    fn subject(&self, message: &OutboundMessage) -> String {
        let mut arguments = Arguments::new();
        arguments.insert("subject".into(), message.subject.clone().into());
        arguments.insert("message".into(), message.body.clone().into());
        let subject = match self
            .subject
            .render(&arguments, message.at, MissingArguments::Blank)
        {
            Ok(rendered) => rendered.text,
            // An error in the subject must not lose the mail.
            Err(_) => message.subject.clone(),
        };
        line(&subject)
    }
}

/// Joins the lines of a text into one for a header.
fn line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Returns the `Message-ID`, the same for every attempt at a delivery (RFC 5322, section 3.6.4).
pub(super) fn message_id(letterhead: &Letterhead, message: &OutboundMessage) -> String {
    format!("<{}@{}>", message.delivery, letterhead.from.email.domain())
}

fn body(message: &OutboundMessage) -> String {
    let mut body = format!(
        "{}\n\n-- \nNotification {}\n",
        message.body.trim_end(),
        message.notification
    );
    if let Some(link) = &message.link {
        body.extend([link, "\n"]);
    }
    body
}

fn invalid(error: lettre::address::AddressError) -> SendError {
    SendError::InvalidAddress {
        reason: error_chain(&error),
    }
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, ConfigError> {
    text.parse().map_err(|_| {
        let reason = "it must be an address, such as \"RedFlash <alerts@example.org>\"";
        ConfigError::at(key, reason)
    })
}

/// Normalizes an email address: the domain in lower case.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let text = raw.trim();
    if !text.is_ascii() {
        return Err(AddressError::new(
            "an email address must be plain ASCII: write an international domain in its xn-- form",
        ));
    }
    let address: lettre::Address = text.parse().map_err(|_| {
        AddressError::new(format!(
            "{text:?} is not a valid email address: use one address, such as ann@example.org"
        ))
    })?;
    let domain = address.domain().to_ascii_lowercase();
    Address::new(format!("{}@{domain}", address.user()))
}

#[cfg(test)]
mod tests {
    use redflash_core::clock::Timestamp;
    use redflash_core::model::{DeliveryId, NotificationId};

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
            first_attempt_at: now,
            at: now,
            to: Address::new("ann@example.org").unwrap(),
            subject: "Disk full".into(),
            body: "The disk of db1 is full.".into(),
            sender: None,
            link: None,
            origin: None,
        }
    }

    fn written(letterhead: &Letterhead, message: &OutboundMessage) -> String {
        String::from_utf8(letterhead.write(message).unwrap().1).unwrap()
    }

    #[test]
    fn normalizes_addresses() {
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
            assert!(parse_address(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn mail_has_headers_text_and_notification() {
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
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 7bit",
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
    fn sender_of_an_event_is_an_address_or_a_name() {
        let letterhead = letterhead(|_| {});
        let mut message = message();
        message.sender = Some("Backups <backup@example.org>".into());
        assert!(written(&letterhead, &message).contains("From: Backups <backup@example.org>\r\n"));
        message.sender = Some("Backups".into());
        assert!(written(&letterhead, &message).contains("From: Backups <alerts@example.org>\r\n"));
    }

    #[test]
    fn mail_links_to_the_notification_page() {
        let letterhead = letterhead(|_| {});
        let mut message = message();
        assert!(!written(&letterhead, &message).contains("https://"));
        let link = format!(
            "https://alerts.example.org/admin/log/{}",
            message.notification
        );
        message.link = Some(link.clone());
        let mail = written(&letterhead, &message);
        assert!(mail.ends_with(&format!("\r\n{link}\r\n")), "{mail}");
    }

    #[test]
    fn texts_that_look_encoded_are_shown_unchanged() {
        let letterhead = letterhead(|config| {
            config.reply_to = Some("=?utf-8?q?x?= <ops@example.org>".into());
        });
        let mut message = message();
        message.subject = format!("disk =?utf-8?q?=41=42?= {}", "é".repeat(60));
        message.sender = Some("=?iso-8859-1?b?QUI=?=".into());
        let mail = written(&letterhead, &message);
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(
            !head.contains("=41") && !head.contains("iso-8859-1"),
            "{head}"
        );
        assert!(head.lines().all(|line| line.len() <= 78), "{head}");
        let parsed = |name| decoded(head, name);
        assert_eq!(parsed("Subject"), message.subject);
        assert_eq!(parsed("From"), "=?iso-8859-1?b?QUI=?= <alerts@example.org>");
        assert_eq!(parsed("Reply-To"), "=?utf-8?q?x?= <ops@example.org>");
    }

    /// Decodes the encoded words of a header, all of which are in base64.
    fn decoded(head: &str, name: &str) -> String {
        let unfolded = head.replace("\r\n ", " ");
        let mut headers = unfolded.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = headers.find(|(given, _)| *given == name).unwrap();
        let mut text = String::new();
        let mut was_encoded = false;
        for word in value.split(' ') {
            let encoded = word
                .strip_prefix("=?utf-8?b?")
                .and_then(|word| word.strip_suffix("?="));
            // Space between encoded words is not part of the text (RFC 2047, section 6.2).
            let is_joined = was_encoded && encoded.is_some();
            if !text.is_empty() && !is_joined {
                text.push(' ');
            }
            was_encoded = encoded.is_some();
            match encoded {
                Some(encoded) => text += &unbase64(encoded),
                None => text += word,
            }
        }
        text
    }

    fn unbase64(text: &str) -> String {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bytes = Vec::new();
        let (mut bits, mut count) = (0_u32, 0);
        for digit in text.bytes().filter(|digit| *digit != b'=') {
            let value = digits.iter().position(|known| *known == digit).unwrap();
            bits = (bits << 6) | u32::try_from(value).unwrap();
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn long_subjects_are_folded() {
        let letterhead = letterhead(|_| {});
        let mut message = message();
        message.subject = "disk full ".repeat(20).trim_end().to_owned();
        let mail = written(&letterhead, &message);
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| line.len() <= 78), "{head}");
        assert_eq!(decoded(head, "Subject"), message.subject);
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
            let error = super::super::Smtp::new(config).unwrap_err();
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
        }
    }
}
