//! `deploy graph`: the stack as a picture, as it is wanted and as it stands.

use quick_xml::events::Event;
use serde_json::Value;

use crate::support::{Aws, Exit, Home, Report, STACK, Stage};

/// What a command line draws on this stage.
async fn drawn(stage: &Stage, line: &str) -> String {
    let as_json = Stage { report: Report::new(true, true), ..stage.again() };
    let ended = as_json.run(line).await;
    ended.exits(Exit::Done);
    ended.outputs.get("graph").cloned().unwrap_or_else(|| panic!("no picture: {ended}"))
}

/// The keys of what is wanted of the sandbox's stack.
fn wanted() -> impl Iterator<Item = &'static str> {
    STACK.iter().map(|node| node.key()).filter(|key| !["volumes", "network_interfaces"].contains(key))
}

/// Every resource is a box with its name, every id that one holds of another is an arrow; and nobody is asked.
#[tokio::test(start_paused = true)]
async fn every_resource_is_drawn_without_a_call() {
    let stage = Stage::new();
    let mermaid = drawn(&stage, "graph").await;
    assert!(stage.sandbox.calls().is_empty(), "{:?}", stage.sandbox.calls());
    for key in wanted() {
        assert!(mermaid.contains(&format!("    {key}[\"{}<br>", key.replace('_', " "))), "no {key}\n{mermaid}");
    }
    let arrows = [
        "    dns_record --> load_balancer\n",
        "    http_listener -.-> https_listener\n",
        "    load_balancer --> private_subnets\n",
        "    target_group --> vpc\n",
        "    private_subnets --> vpc\n",
    ];
    for arrow in arrows {
        assert!(mermaid.contains(arrow), "no {arrow}\n{mermaid}");
    }
    // What only orders a removal is no dependency.
    assert!(!mermaid.contains("    load_balancer_security_group -.->"), "{mermaid}");
    assert!(!mermaid.contains("public_subnets"), "nothing stands in them\n{mermaid}");
    let dot = drawn(&stage, "graph --format dot").await;
    assert!(dot.contains("    dns_record -> load_balancer;\n") && dot.ends_with('}'), "{dot}");
    let facing = "graph --set load_balancer.scheme=internet-facing --set load_balancer.allow_public=true";
    assert!(drawn(&stage, facing).await.contains("    load_balancer --> public_subnets\n"));
    let plain = drawn(&stage, "graph --set load_balancer.listener=http").await;
    assert!(!plain.contains("https_listener"), "{plain}");
}

/// What stands has its id, what is absent or otherwise is marked, and so is health.
#[tokio::test(start_paused = true)]
async fn what_stands_is_drawn_with_ids_and_health() {
    type Edit = fn(&mut Aws<'_>);
    let stage = Stage::up().await;
    let mermaid = drawn(&stage, "graph --live").await;
    let group = stage.json("status").await["resources"][0]["id"].as_str().unwrap().to_owned();
    assert!(mermaid.contains(&format!("alb-sg<br>{group}\"]:::good")), "{mermaid}");
    assert!(mermaid.contains("2 of 2 targets healthy\"]:::good"), "{mermaid}");
    assert!(mermaid.contains("2 in service, desired 2\"]:::good"), "{mermaid}");
    assert!(!mermaid.contains("arn:"), "{mermaid}");
    let edits: [(Edit, &str); 2] = [
        (|aws| aws.delete_record(), "dns_record[\"dns record<br>app.example.com<br>absent\"]:::absent"),
        (|aws| aws.target_group().matcher("200"), "<br>differs<br>"),
    ];
    for (edit, marked) in edits {
        let stage = Stage::up().await.edited(edit);
        let mermaid = drawn(&stage, "graph --live").await;
        assert!(mermaid.contains(marked), "{marked}\n{mermaid}");
    }
    let nothing = Stage::new();
    nothing.run("graph --live").await.exits(Exit::Done).ends_as("absent").writes_nothing();
    assert!(!drawn(&nothing, "graph --live").await.contains(":::good"));
}

/// The image is well-formed, has no script, and what a name holds is text in it.
#[tokio::test(start_paused = true)]
async fn an_image_is_xml_without_scripts_and_with_escaped_text() {
    let stage = Stage::new();
    let line = "graph --format svg --set names.auto_scaling_group=<script>alert(1)</script>&\"";
    let svg = drawn(&stage, line).await;
    assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;"), "{svg}");
    assert!(!svg.contains("<script") && svg.contains("prefers-color-scheme:dark"), "{svg}");
    let mut reader = quick_xml::Reader::from_str(&svg);
    let mut boxes = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}\n{svg}")) {
            Event::Eof => break,
            Event::Empty(tag) if tag.name().as_ref() == "rect" => boxes += 1,
            _ => {}
        }
    }
    assert_eq!(boxes, 1 + wanted().count() + 2, "the page, the resources, the subnets and the VPC");
    let mermaid = drawn(&stage, &line.replace("svg", "mermaid")).await;
    assert!(mermaid.contains("#lt;script#gt;alert(1)#lt;/script#gt;#amp;#quot;"), "{mermaid}");
    let dot = drawn(&stage, &line.replace("svg", "dot")).await;
    assert!(dot.contains("alert(1)</script>&\\\""), "{dot}");
}

#[test]
fn it_is_printed_or_written_and_needs_no_account() {
    let home = Home::new();
    let network =
        "{ vpc: vpc-0a1b2c3d4e5f60718, private_subnets: [subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2] }";
    home.write("deploy.yaml", format!("network: {network}\nload_balancer: {{ listener: http }}\n"));
    home.run("graph").exits(0).prints("flowchart TB").prints("vpc-0a1b2c3d4e5f60718");
    home.run("graph --format svg --output stack.svg").exits(0).says("Wrote stack.svg");
    let svg = std::fs::read_to_string(home.path("stack.svg")).unwrap();
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    home.run("graph --output deploy.yaml").exits(2).says("a file that this run reads");
    home.run("graph --output no/such/place.mmd").exits(1).says("no/such/place.mmd");
    let envelope: Value = home.run("graph --json").exits(0).json();
    assert_eq!(envelope["outcome"], "printed");
    assert!(envelope["outputs"]["graph"].as_str().unwrap().contains("flowchart"));
    home.run("--sandbox up").exits(0);
    let run = home.run("--sandbox graph --live");
    run.exits(0).prints("targets healthy").says("Up: 2 of 2 targets healthy.");
}
