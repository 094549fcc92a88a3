//! Converts plans into template data.

use redflash_core::plan::{PlannedEndpoint, Recipient, Verdict};

use crate::admin::ui::partials::{Link, Obstacle, Plan, PlannedDelivery, SkippedRecipient};
use crate::admin::urls;

impl From<redflash_core::plan::Plan> for Plan {
    fn from(plan: redflash_core::plan::Plan) -> Self {
        let mut shown = Self {
            refusal: plan.refusal.map(|refusal| refusal.to_string()),
            subject: (!plan.message.subject.is_empty()).then_some(plan.message.subject),
            text: plan.message.body,
            missing: plan.missing.join(", "),
            unused: plan.unused.join(", "),
            deliveries: Vec::new(),
            skipped: Vec::new(),
        };
        for recipient in &plan.recipients {
            shown.add(recipient);
        }
        shown
    }
}

impl Plan {
    /// Adds the obstacles of the planned messages, in their order.
    pub(crate) fn with_outlook(
        mut self,
        outlook: Vec<Option<redflash_core::engine::Obstacle>>,
    ) -> Self {
        for (delivery, obstacle) in self.deliveries.iter_mut().zip(outlook) {
            delivery.obstacle = obstacle.map(Obstacle::new);
        }
        self
    }

    fn add(&mut self, recipient: &Recipient) {
        if let Some(skip) = &recipient.skip {
            self.skipped.push(SkippedRecipient {
                contact: link(recipient),
                endpoint: None,
                reason: skip.to_string(),
            });
            return;
        }
        for endpoint in &recipient.endpoints {
            match &endpoint.verdict {
                Verdict::Deliver(_) => self.deliveries.push(delivery(recipient, endpoint)),
                Verdict::Skip(skip) => self.skipped.push(SkippedRecipient {
                    contact: link(recipient),
                    endpoint: Some(format!("{} {}", endpoint.channel, endpoint.address)),
                    reason: skip.to_string(),
                }),
            }
        }
    }
}

fn delivery(recipient: &Recipient, endpoint: &PlannedEndpoint) -> PlannedDelivery {
    PlannedDelivery {
        contact: link(recipient),
        via: recipient.via.iter().map(ToString::to_string).collect(),
        channel: endpoint.channel.to_string(),
        address: endpoint.address.to_string(),
        obstacle: None,
    }
}

impl Obstacle {
    fn new(obstacle: redflash_core::engine::Obstacle) -> Self {
        let name = obstacle.gateway.to_string();
        Self {
            gateway: Link {
                url: urls::gateway(&obstacle.gateway),
                label: name,
            },
            reason: obstacle.reason,
            next_try_at: obstacle.next_try_at,
            suppresses: obstacle.suppresses,
        }
    }
}

fn link(recipient: &Recipient) -> Link {
    Link {
        url: urls::contact(&recipient.contact),
        label: recipient.name.to_string(),
    }
}
