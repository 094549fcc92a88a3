use super::*;

#[test]
fn cancels_what_was_switched_off_or_removed_later() {
    let ann = contact("ann", &[(ChannelKind::sms(), "+1")]);
    let endpoint = ann.endpoints[0].id;
    let view = TargetView {
        groups: vec![group("crew", &["ann"])],
        contacts: vec![ann],
        ..TargetView::default()
    };
    let target = Target::Group(slug("crew"));
    let via = [slug("crew")];
    let check =
        |view: &TargetView| cancellation_reason(view, &target, &slug("ann"), endpoint, &via);
    assert_eq!(check(&view), None);
    let changed = |change: fn(&mut TargetView)| {
        let mut view = view.clone();
        change(&mut view);
        check(&view).unwrap()
    };
    assert_eq!(
        changed(|v| v.contacts[0].enabled = false),
        "contact/ann was switched off"
    );
    assert_eq!(
        changed(|v| v.contacts[0].endpoints[0].enabled = false),
        "the endpoint was switched off"
    );
    assert_eq!(
        changed(|v| v.contacts[0].endpoints.clear()),
        "the endpoint was removed"
    );
    assert_eq!(
        changed(|v| v.groups[0].enabled = false),
        "group/crew was switched off"
    );
    assert_eq!(changed(|v| v.contacts.clear()), "contact/ann was removed");
}
