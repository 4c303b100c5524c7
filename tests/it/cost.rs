//! What a stack costs, by AWS's price list: shown, refused above a limit, unknown rather than invented.

use serde_json::json;

use crate::support::{Exit, Home, Stage};

/// In the sandbox 16 vCPUs cost 0.8 an hour, gp3 0.1 a GiB, 0.006 an IOPS, 48 a GiB/s, a load balancer 0.025 an hour:
/// 0.8 × 730 + 5 + 9000 × 0.006 + 375 / 1024 × 48 = 660.58 an instance, 18.25 the load balancer.
#[tokio::test(start_paused = true)]
async fn a_plan_and_a_preflight_show_a_band() {
    let stage = Stage::new();
    for line in ["plan", "preflight"] {
        let cost = &stage.json(line).await["cost"];
        assert_eq!(cost["currency"], "USD", "{line}");
        assert_eq!(cost["monthly"], json!({"min": 1339.41, "now": 0.0, "max": 60130.86}), "{line}");
        assert_eq!(cost["instances"], json!({"min": 2, "now": 0, "max": 91}), "{line}");
        assert!(cost["not_included"].as_str().unwrap().contains("fee on AWS Marketplace"), "{line}");
    }
    stage.succeeds("up").await.has_not_called("GetProducts");
    let wider = &stage.json("plan --set scaling.max=100").await["cost"];
    assert_eq!(wider["monthly"]["now"], 1339.41);
    // What runs is of another type, whose price was not asked.
    let other = &stage.json("plan --set instance.type=c7i.8xlarge").await["cost"];
    assert_eq!((&other["monthly"]["now"], other["monthly"]["max"].is_f64()), (&json!(null), true));
    let nothing = stage.run("plan").await;
    nothing.has_not_called("GetProducts");
}

#[tokio::test(start_paused = true)]
async fn what_has_no_price_is_unknown_with_the_reason() {
    let denied = Stage::new();
    denied.weather(|weather| weather.denied = vec!["pricing:GetProducts".to_owned()]);
    for (stage, line, why) in
        [(&denied, "plan", "AccessDenied"), (&Stage::new(), "plan --set instance.type=c9.huge", "no price of instance")]
    {
        let cost = &stage.json(line).await["cost"];
        assert!(cost["unknown"].as_str().unwrap().contains(why), "{cost}");
        assert_eq!((&cost["monthly"]["max"], &cost["currency"]), (&json!(null), &json!(null)));
        stage.run(line).await.exits(Exit::Done);
        let refused = stage.run(&format!("{line} --max-monthly 1000000")).await;
        refused.refused_before_any_write().says("is not known");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_above_the_limit_is_refused_before_the_first_write() {
    for line in ["up", "plan", "preflight"] {
        let stage = Stage::new();
        let refused = stage.run(&format!("{line} --max-monthly 60130")).await;
        refused.refused_before_any_write().says("60130.86 USD a month").says("Lower scaling.max");
        stage.succeeds(&format!("{line} --max-monthly 60131")).await;
    }
    // What stands costs what it costs.
    let stage = Stage::up().await;
    stage.succeeds("up --max-monthly 1").await.writes_nothing();
}

#[test]
fn an_amount_is_a_number() {
    let home = Home::new();
    for amount in ["many", "-5", "NaN"] {
        home.run(&format!("--sandbox plan --max-monthly={amount}")).exits(2).says("write an amount");
    }
    home.run("--sandbox plan").exits(0).prints("cost a month in USD: 1339.41 with 2 instances (least)");
}
