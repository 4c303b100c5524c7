//! Many stacks in one account: what one costs does not grow with the others.

use crate::support::{Ended, Exit, Stage};

/// So many stacks beside the one of this stage.
async fn beside(stage: &Stage, stacks: std::ops::Range<usize>) {
    for number in stacks {
        let other = format!("stack: other-{number}\nnames: {{ prefix: o{number}- }}\n");
        let other = stage.as_config(stage.config.clone() + &other + "scaling: { min: 1, desired: 1, max: 2 }\n");
        let record = format!("up --no-verify --set dns.record=o{number}");
        other.succeeds(&record).await;
    }
}

/// How often these are called, and all others together.
fn counted(ended: &Ended) -> (usize, usize) {
    let tags =
        ended.calls.iter().filter(|call| call.service == "elasticloadbalancing" && call.operation == "DescribeTags");
    let tags = tags.count();
    (tags, ended.calls.len() - tags)
}

/// Elastic Load Balancing has no filter by tag, and tells tags of twenty of its things a call: a look for what carries
/// the stack's tag under another name asks for all of the account, which are two a stack. Nothing else grows.
#[tokio::test(start_paused = true)]
async fn calls_do_not_grow_with_the_stacks_of_the_account() {
    let stage = Stage::up().await;
    stage.weather(|weather| weather.vcpus = 16_000.0);
    let (mut made, mut counts) = (1, Vec::new());
    for stacks in [1, 10, 50] {
        beside(&stage, made..stacks).await;
        made = stacks;
        let mut of_size = Vec::new();
        for line in ["plan", "up", "status", "teardown --dry-run"] {
            of_size.push(counted(&stage.succeeds(line).await));
        }
        counts.push(of_size);
    }
    assert_eq!(counts[0], counts[1], "1 and 10 stacks");
    let others = |counts: &[(usize, usize)]| counts.iter().map(|(_, others)| *others).collect::<Vec<_>>();
    assert_eq!(others(&counts[0]), others(&counts[2]), "1 and 50 stacks");
    let tags: Vec<usize> = counts[2].iter().map(|(tags, _)| *tags).collect();
    assert_eq!(tags, [5, 5, 5, 1], "a call for twenty of the hundred; a removal looks for strays at its end");
}

/// EC2 refuses there to list everything at once, and a page may be empty before the last one: every list of every verb
/// is read in pages of a size, to its end.
#[tokio::test(start_paused = true)]
async fn in_a_large_account_lists_are_read_page_by_page() {
    let stage = Stage::new();
    stage.weather(|weather| weather.large_account = true);
    for line in [
        "preflight --set instance.key_pair=null",
        "preflight --set instance.image=product:ozsandbox0000000000000001",
        "up",
        "plan",
        "status",
        "verify",
        "diagnose",
        "conform",
        "list",
        "export terraform",
        "graph --live",
        "up --set instance.type=c7i.4xlarge",
        "teardown --dry-run",
        "teardown --yes",
    ] {
        let ended = stage.run(line).await;
        let refused: Vec<_> =
            ended.calls.iter().filter(|call| call.code.as_deref() == Some("OperationNotPermitted")).collect();
        assert!(refused.is_empty(), "{line}: {refused:?}");
        ended.exits(Exit::Done);
    }
    stage.nothing_is_left();
}
