use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::template::Arguments;

const PEOPLE: usize = 6;

fn any_contact(index: usize) -> impl Strategy<Value = Contact> {
    let endpoint = (0..3_usize, 0..4_u8, any::<bool>());
    let endpoints = proptest::collection::vec(endpoint, 0..4);
    (any::<bool>(), endpoints).prop_map(move |(enabled, endpoints)| {
        let kinds = [
            ChannelKind::sms(),
            ChannelKind::email(),
            ChannelKind::webhook(),
        ];
        let mut contact = contact(&format!("c{index}"), &[]);
        contact.enabled = enabled;
        for (kind, number, on) in endpoints {
            let address = Address::new(format!("address-{number}")).unwrap();
            let id = EndpointId::new(Timestamp::default());
            contact = contact.with_endpoint(id, kinds[kind].clone(), address);
            contact.endpoints.last_mut().unwrap().enabled = on;
        }
        contact
    })
}

fn any_group(index: usize) -> impl Strategy<Value = Group> {
    let members = proptest::collection::vec(0..PEOPLE, 0..8);
    (any::<bool>(), members).prop_map(move |(enabled, members)| {
        let mut group = group(&format!("g{index}"), &[]);
        group.enabled = enabled;
        group.contacts = members
            .into_iter()
            .map(|m| slug(&format!("c{m}")))
            .collect();
        group
    })
}

proptest! {
    #[test]
    fn gives_each_endpoint_one_verdict_and_each_address_one_delivery(
        contacts in (0..PEOPLE).map(any_contact).collect::<Vec<_>>(),
        groups in (0..3).map(any_group).collect::<Vec<_>>(),
        direct in proptest::collection::vec(0..PEOPLE, 0..4),
    ) {
        let mut event = Event::new(slug("e"), name("e"), "text");
        event.contacts = direct.iter().map(|c| slug(&format!("c{c}"))).collect();
        event.groups = groups.iter().map(|g| g.slug.clone()).collect();
        let behind: HashSet<_> = event.contacts.iter()
            .chain(groups.iter().flat_map(|g| &g.contacts)).cloned().collect();
        let expected: HashSet<_> = contacts.iter().filter(|c| behind.contains(&c.slug))
            .flat_map(|c| c.endpoints.iter().map(|e| e.id)).collect();
        let view = TargetView { event: Some(event), groups, contacts, ..TargetView::default() };
        let plan = decide(&Raise::event(slug("e"), Arguments::new()), &view);

        let planned: Vec<_> = plan.recipients.iter().flat_map(|r| &r.endpoints).collect();
        let ids: HashSet<_> = planned.iter().map(|e| e.endpoint).collect();
        prop_assert_eq!(ids.len(), planned.len());
        prop_assert_eq!(ids, expected);

        let mut deliveries: BTreeMap<_, u32> = BTreeMap::new();
        for endpoint in &planned {
            if matches!(endpoint.verdict, Verdict::Deliver(_)) {
                *deliveries.entry((&endpoint.channel, &endpoint.address)).or_default() += 1;
            }
        }
        prop_assert!(deliveries.values().all(|times| *times == 1));
        prop_assert_eq!(plan.queued() + plan.skipped(), planned.len());
        prop_assert_eq!(plan.refusal.is_some(), plan.queued() == 0);
    }
}
