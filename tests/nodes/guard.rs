//! Limits and alarms that hold over all nodes: budgets and alarms.

use redflash_tests::{Config, Rules, Server, Simulator, VONAGE, Vonage, until};

use crate::world::{HOOKS, World};

#[tokio::test(flavor = "multi_thread")]
async fn shares_budget_among_nodes() {
    const BUDGET: usize = 50;
    const RAISES: usize = 120;
    let bounded = format!("{HOOKS}\nbudget = {{ per_day = {BUDGET} }}");
    let world = World::with(Config::new().gateway(&bounded)).await;
    let nodes = world.nodes(3).await;
    let mut raised = tokio::task::JoinSet::new();
    for number in 0..RAISES {
        let (client, key) = (nodes[number % nodes.len()].client(), world.key.clone());
        raised.spawn(async move {
            let fields = [("message", "hi")];
            let answer = client.raise("contact/ada", &key, &fields).await;
            answer.expect(201).notification()
        });
    }
    let raised = raised.join_all().await;
    world.site.all_sent().await;
    let mut suppressed = 0;
    for id in &raised {
        let delivery = world.delivery(&nodes[0], id).await;
        match delivery["state"].as_str().unwrap() {
            "delivered" => {}
            "suppressed" => suppressed += 1,
            other => panic!("{other}: {delivery}"),
        }
    }
    assert_eq!(suppressed, RAISES - BUDGET);
    assert_eq!(world.sink.count(), BUDGET);
}

#[tokio::test(flavor = "multi_thread")]
async fn raises_one_alarm_over_all_nodes() {
    let refusing = Rules {
        faults: |_| Vec::new(),
        accept: |_, _| Vonage::status(4),
        ..VONAGE
    };
    let account = Simulator::start(refusing).await;
    let sms = format!(
        "name = \"sms\"\ntype = \"vonage\"\nbase_url = \"{}\"\napi_key = \"k\"\n\
         api_secret = \"canary-secret\"\nfrom = \"RedFlash\"",
        account.base_url()
    );
    let config = Config::new().section("[alarm]\ncontact = \"ada\"");
    let world = World::with(config.gateway(HOOKS).gateway(&sms)).await;
    let number = "+447700900001";
    world
        .site
        .run(["contact", "add", "bob", "--name", "Bob", "--sms", number])
        .await;
    let nodes = world.nodes(2).await;
    let fields = [("message", "hi")];
    let raise = async |node: &Server| {
        let answer = node
            .client()
            .raise("contact/bob", &world.key, &fields)
            .await;
        answer.expect(201).notification()
    };
    let (_, _) = tokio::join!(raise(&nodes[0]), raise(&nodes[1]));
    let alarms = || {
        let all = world.sink.received().into_iter();
        all.filter(|request| request.form()["message"].contains("has stopped"))
            .count()
    };
    until("the alarm has come", async || (alarms() > 0).then_some(())).await;
    for node in &nodes {
        until("the node knows of it", async || {
            let metrics = node.client().get_as("/metrics", &world.key).await.body;
            let line = "redflash_gateway_stopped{gateway=\"sms\"} 1";
            metrics.contains(line).then_some(())
        })
        .await;
    }
    // What is raised last arrives last.
    world.raise(&nodes[1]).await;
    world.site.run(["doctor"]).await;
    let last = async || {
        let all = world.sink.received();
        let arrived = all.iter().any(|request| request.form()["message"] == "hi");
        arrived.then_some(())
    };
    until("the last has come", last).await;
    assert_eq!(alarms(), 1);
}
