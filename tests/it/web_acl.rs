//! What a removal does where AWS WAF does not say whether a web ACL stands before the load balancer.

use crate::support::{Exit, Stage};

/// Nobody knows then what would go. Where nothing goes, nobody asks.
#[tokio::test(start_paused = true)]
async fn where_waf_may_not_be_asked_the_stack_stays_until_lifted() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.denied = vec!["wafv2:GetWebACLForResource".to_owned()]);
    let not_known =
        "whether a web ACL (AWS WAF) filters its requests is not known: wafv2:GetWebACLForResource is denied";
    for line in ["plan", "up", "verify", "up --set instance.type=c7i.4xlarge"] {
        stage.succeeds(line).await.has_not_called("GetWebACLForResource");
    }
    stage.run("teardown --yes").await.exits(Exit::Refused).writes_nothing().says(not_known).says("--lift-protection");
    stage.succeeds("teardown --yes --lift-protection").await;
    stage.nothing_is_left();
}

/// A network without an endpoint of WAF: not known either, and said within a minute.
#[tokio::test(start_paused = true)]
async fn where_waf_is_not_reached_the_stack_stays_until_lifted() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.no_way_to_services = vec!["wafv2".to_owned()]);
    let start = tokio::time::Instant::now();
    let kept = stage.run("teardown --yes").await;
    kept.exits(Exit::Refused).writes_nothing();
    kept.says("whether a web ACL (AWS WAF) filters its requests is not known").says("--lift-protection");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    stage.succeeds("teardown --yes --lift-protection").await;
    stage.nothing_is_left();
}
