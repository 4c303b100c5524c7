//! `plan --save` and `up --plan`: what was reviewed is applied, or nothing.

use serde_json::{Value, json};

use crate::support::{Aws, Exit, Home, Stage};

/// The file of a saved plan, in a directory of its own.
struct Saved(tempfile::TempDir);

impl Saved {
    /// What `line` would do, saved.
    async fn of(stage: &Stage, line: &str) -> Saved {
        let saved = Saved(tempfile::tempdir().unwrap());
        let line = format!("{line} --save {}", saved.path());
        stage.run(&line).await.exits(Exit::Done).writes_nothing();
        saved
    }

    fn path(&self) -> String {
        self.0.path().join("plan.json").display().to_string()
    }

    fn up(&self) -> String {
        format!("up --plan {}", self.path())
    }

    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(self.path()).unwrap()).unwrap();
        change(&mut plan);
        std::fs::write(self.path(), plan.to_string()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_applied_as_it_was_saved() {
    let stage = Stage::new();
    let create = Saved::of(&stage, "plan").await;
    let created = stage.succeeds(&create.up()).await;
    assert_eq!(created.changes.len(), 16);
    assert_eq!(stage.plan().await, "");
    // What is done is no plan any more.
    let again = stage.run(&create.up()).await;
    again.refused_before_any_write().says("load_balancer app-alb: planned create, now as wanted");

    let update = Saved::of(&stage, "plan --set instance.type=c7i.4xlarge").await;
    let rolled = stage.succeeds(&format!("{} --set instance.type=c7i.4xlarge", update.up())).await;
    rolled.changed(&["launch_template", "auto_scaling_group"]);

    let scheme = "--set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";
    let replace = Saved::of(&stage, &format!("plan --replace {scheme} --set instance.type=c7i.4xlarge")).await;
    stage.succeeds(&format!("{} {scheme} --set instance.type=c7i.4xlarge", replace.up())).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_has_moved_since_is_listed_and_nothing_is_changed() {
    type Edit = fn(&mut Aws<'_>);
    let cases: [(Edit, &str); 3] = [
        (|aws| aws.target_group().matcher("200"), "target_group app-tg: not in the plan, now update"),
        (
            |aws| aws.auto_scaling_group().max_size(50),
            "auto_scaling_group app-asg, max: planned no change, now 50 -> 91",
        ),
        (|aws| aws.delete_scaling_policy(), "scaling_policy app-asg-cpu: not in the plan, now create"),
    ];
    for (edit, words) in cases {
        let stage = Stage::up().await.noting(words);
        let saved = Saved::of(&stage, "plan --set instance.type=c7i.4xlarge").await;
        stage.edit(edit);
        let line = format!("{} --set instance.type=c7i.4xlarge", saved.up());
        let refused = stage.run(&line).await;
        refused.refused_before_any_write().says(words).says("account 123456789012");
    }
}

#[tokio::test(start_paused = true)]
async fn another_configuration_account_or_region_is_refused() {
    let stage = Stage::new();
    let saved = Saved::of(&stage, "plan").await;
    let refused = stage.run(&format!("{} --set scaling.max=10", saved.up())).await;
    refused.refused_before_any_write().says("deploy.yaml, scaling.max: 91 -> 10");
    for (field, value, words) in [
        ("account", json!("210987654321"), "the plan is for 210987654321, this is 123456789012"),
        ("region", json!("us-east-1"), "the plan is for us-east-1, this is eu-central-1"),
        ("stack", json!("other"), "the plan is for other, this is oz-liveness"),
        ("sandbox", json!(false), "the plan is for AWS"),
    ] {
        saved.change(|plan| plan[field] = value);
        stage.run(&saved.up()).await.refused_before_any_write().says(words);
    }
}

/// Somebody else's change that comes in the middle is not applied along.
#[tokio::test(start_paused = true)]
async fn what_moves_while_it_is_applied_is_not_touched() {
    let stage = Stage::up().await;
    let saved = Saved::of(&stage, "plan --set instance.type=c7i.4xlarge").await;
    let line = format!("{} --set instance.type=c7i.4xlarge", saved.up());
    let later = async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        stage.edit(|aws| aws.target_group().algorithm("round_robin"));
    };
    let (ended, ()) = tokio::join!(stage.run(&line), later);
    ended.exits(Exit::Failed).says("somebody changed target_group while the plan was applied");
    ended.has_not_called("ModifyTargetGroupAttributes");
}

#[test]
fn a_file_that_is_no_plan_is_refused_with_its_name() {
    let home = Home::new();
    home.run("--sandbox up --plan none.json").exits(2).says("none.json: No such file").says("deploy plan --save FILE");
    home.write("broken.json", "{");
    home.run("--sandbox up --plan broken.json").exits(2).says("broken.json: not a saved plan");
    home.write("other.json", "{\"schema\": \"deploy/v1\"}");
    home.run("--sandbox up --plan other.json").exits(2).says("not a plan of this version");
    home.run("--sandbox up --plan broken.json --adopt").exits(2).says("cannot be used with");
    let config = home.run("sandbox config").stdout();
    home.write("deploy.yaml", &config);
    home.run("--sandbox plan --save deploy.yaml").exits(2).says("a file that this run reads");
    home.run("--sandbox plan --config deploy.yaml --save ./deploy.yaml").exits(2).says("a file that this run reads");
    // A trace is a file too.
    for line in ["--sandbox plan --trace deploy.yaml", "--sandbox up --plan broken.json --trace broken.json"] {
        home.run(line).exits(2).says("a file that this run reads");
    }
    assert_eq!(std::fs::read_to_string(home.path("deploy.yaml")).unwrap(), config);
    home.run("--sandbox plan --save none/plan.json").exits(2).says("none/plan.json").says("--save");
    home.run("--sandbox plan --save plan.json").exits(0).says("deploy up --plan plan.json");
    home.run("--sandbox up --plan plan.json").exits(0).says("the plan was saved");
}
