//! The reports of `verify`: JUnit XML that CI systems read, and one page for people.

use quick_xml::events::Event;

use crate::support::{
    Action, Change, Exit, FieldChange, Finding, Frame, Home, Outcome, Problem, Status, Step, html, junit, markdown,
};

const HOSTILE: &str = "<script>alert('x')</script> & ]]> \u{1} \"quoted\" é";

fn frame() -> Frame {
    Frame {
        command: "verify",
        account: "123456789012".to_owned(),
        caller: "arn:aws:iam::123456789012:user/ci".to_owned(),
        stack: "oz-liveness".to_owned(),
        region: "eu-central-1".to_owned(),
        seconds: 1.5,
        calls: 20,
        ..Frame::default()
    }
}

fn mixed() -> Outcome {
    let mut outcome = Outcome::new(Exit::Unverified, "failed", "3 of 5 checks failed.");
    outcome.checks = vec![
        Finding::new("load_balancer", 4, "load balancer active").pass("active"),
        Finding::new("targets", 6, "targets healthy").fail(HOSTILE, "because of <that>", "do & mend"),
        Finding::new("instance_profile", 2, "instance profile").found(Status::Unknown, "AccessDenied"),
        Finding::new("launch_template_version", 3, "version").found(Status::Warn, "old").because("a", "b"),
        Finding::new("liveness", 0, "liveness").skip("not called"),
    ];
    outcome.problems = vec![Problem::new("something else", "a cure").because("a deeper cause")];
    outcome
}

/// Names of elements with how often they occur; panics at what is not well formed.
fn elements(xml: &str) -> std::collections::BTreeMap<String, usize> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut counts = std::collections::BTreeMap::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) | Event::Empty(start) => {
                assert!(start.attributes().all(|attribute| attribute.is_ok()));
                *counts.entry(start.name().as_ref().to_owned()).or_default() += 1;
            }
            Event::Eof => return counts,
            _ => {}
        }
    }
}

#[test]
fn junit_has_a_case_for_each_check_and_problem() {
    let xml = junit(&frame(), &mixed());
    let counts = elements(&xml);
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    assert_eq!((count("testsuite"), count("testcase")), (1, 6));
    assert_eq!((count("failure"), count("error"), count("skipped")), (1, 2, 1), "{xml}");
    assert!(xml.contains(r#"tests="6""#) && xml.contains(r#"failures="1""#) && xml.contains(r#"errors="2""#), "{xml}");
    assert!(
        xml.contains(r#"classname="deploy.verify.oz-liveness.eu-central-1.targets""#)
            && xml.contains("because of &lt;that&gt;"),
        "{xml}"
    );
    assert!(!xml.contains('\u{1}'), "XML 1.0 has no control characters");
}

#[test]
fn a_failed_run_is_never_all_green() {
    let outcome = Outcome::new(Exit::Deadline, "timeout", "the deadline passed");
    assert_eq!(elements(&junit(&frame(), &outcome)).get("error"), Some(&1));
    let good = Outcome::new(Exit::Done, "verified", "");
    assert_eq!(elements(&junit(&frame(), &good)).get("testcase"), None);
}

#[test]
fn the_page_shows_every_check_and_breaks_where_the_stack_does() {
    let page = html(&frame(), &mixed());
    for words in [
        "load balancer active",
        "because of &lt;that&gt;",
        "do &amp; mend",
        "something else",
        "a deeper cause",
        "a cure",
        "exit code 6",
    ] {
        assert!(page.contains(words), "no {words}");
    }
    let node = |key: &str, status: &str| {
        assert!(page.contains(&format!(r#"data-node="{key}" data-status="{status}""#)), "{key} is not {status}");
    };
    node("load_balancer", "pass");
    node("target_group", "fail");
    node("instances", "unknown");
    node("record", "none");
    node("service", "skip");
    assert!(page.contains(r#"data-edge="instances" data-status="fail""#));
}

#[test]
fn the_page_is_self_contained_and_runs_nothing() {
    let page = html(&frame(), &mixed());
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "what was seen is escaped");
    // Only to its own parts.
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#").count(), "{page}");
    for loads in ["src=", "url(", "@import", "http://", "https://"] {
        assert!(!page.contains(loads), "the page holds {loads}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn reports_say_on_which_account_and_by_whom() {
    for report in [junit(&frame(), &mixed()), html(&frame(), &mixed())] {
        assert!(report.contains("123456789012") && report.contains("arn:aws:iam::123456789012:user"), "{report}");
    }
    let nobody = Frame { account: String::new(), caller: String::new(), ..frame() };
    assert!(!junit(&nobody, &mixed()).contains("account"));
}

/// Something that was done, or would be.
fn changed() -> Outcome {
    let field = FieldChange { field: "max".to_owned(), old: 91.into(), new: HOSTILE.into() };
    let change = Change {
        action: Action::Update,
        resource: "auto_scaling_group",
        name: "app-asg".to_owned(),
        step: 4,
        fields: vec![field],
        why: None,
        refused: Vec::new(),
    };
    Outcome { changes: vec![change], ..Outcome::new(Exit::Done, "changed", "Done: `1` updated.") }
}

fn with_steps() -> Frame {
    let step = |resource, started_ms, duration_ms| Step {
        resource,
        verb: "update",
        started_ms,
        duration_ms,
        after: Vec::new(),
    };
    let steps = vec![step("auto_scaling_group", 0, 40), step("role", 0, 10)];
    let (host, started_at) = ("builder".to_owned(), "2026-11-26T18:00:00Z".to_owned());
    Frame { command: "up", steps, host, started_at, ..frame() }
}

#[test]
fn what_was_done_is_a_case_and_what_was_planned_a_skipped_one() {
    let done = junit(&with_steps(), &changed());
    assert!(done.contains(r#"name="update auto_scaling_group app-asg""#) && done.contains(r#"time="0.040""#), "{done}");
    assert!(done.contains(r#"hostname="builder""#) && done.contains(r#"timestamp="2026-11-26T18:00:00Z""#), "{done}");
    assert_eq!(elements(&done).get("skipped"), None);
    let planned = junit(&frame(), &Outcome { planned: true, ..changed() });
    assert_eq!(elements(&planned).get("skipped"), Some(&1));
}

#[test]
fn the_page_has_what_was_done_and_the_schedule_with_its_critical_path() {
    let page = html(&with_steps(), &changed());
    for words in
        ["What was done", "app-asg", "&lt;script&gt;", "Schedule", "builder", "2026-11-26T18:00:00Z", "<code>1</code>"]
    {
        assert!(page.contains(words), "no {words}: {page}");
    }
    assert!(page.contains("★ update auto_scaling_group") && !page.contains("★ update role"), "{page}");
    assert!(!page.contains("The way of a request"), "no check judged it");
    assert!(html(&frame(), &Outcome { planned: true, ..changed() }).contains("What would be done"));
}

#[test]
fn what_failed_is_a_list_on_top_of_the_page() {
    let page = html(&frame(), &mixed());
    let (list, first) = (page.find(r##"href="#targets""##).unwrap(), page.find("The way of a request").unwrap());
    assert!(list < first && page.contains(r#"id="targets""#), "{page}");
    assert!(!page.contains(r##"href="#load_balancer""##), "what passed is not in it");
}

#[test]
fn markdown_says_first_what_is_wrong_and_nothing_in_it_is_markup() {
    let text = markdown(&frame(), &mixed());
    assert!(
        text.starts_with(
            "### ❌ deploy verify oz-liveness: failed
"
        ),
        "{text}"
    );
    assert!(text.contains("1 failed, 1 not known, 1 warning, 1 skipped, 1 passed"), "{text}");
    let (failed, passed) = (text.find("| fail |").unwrap(), text.find("| pass |").unwrap());
    assert!(failed < passed && text.contains("123456789012"), "{text}");
    assert!(!text.contains("<script>") && text.contains("&lt;script&gt;"), "{text}");
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    }
    let text = markdown(&with_steps(), &changed());
    assert!(text.contains("### ✅ deploy up") && text.contains("~~~~diff\n~ update"), "{text}");
}

/// Words of a page as a reader without its style meets them.
fn without_style(page: &str) -> String {
    let body = page.split("<body>").nth(1).unwrap();
    let mut words = String::new();
    for piece in body.split('<').skip(1) {
        words += piece.split_once('>').map_or("", |(_, text)| text);
    }
    words
}

#[test]
fn the_page_keeps_its_meaning_where_a_policy_takes_its_style() {
    let page = html(&frame(), &mixed());
    let body = page.split("<body>").nth(1).unwrap();
    assert!(!body.contains(" style="), "an inline style is what a strict policy forbids");
    for shape in body.split('<').filter(|tag| tag.starts_with("rect ") || tag.starts_with("path ")) {
        assert!(shape.contains("fill=\""), "black without style: {shape}");
    }
    let words = without_style(&page);
    assert!(words.contains("load balancer active (guide step 4) 0 ms"), "{words}");
    let place = |title: &str| words.find(title).unwrap_or_else(|| panic!("no {title}"));
    assert!(place("✕ fail targets healthy") < place("? unknown instance profile"), "failures first");
    assert!(place("? unknown instance profile") < place("✓ pass load balancer active"));
}

/// AWS's minutes are told as people tell them, and what the sandbox does as what it is.
#[test]
fn the_page_tells_times_as_people_read_them() {
    let mut outcome = mixed();
    outcome.checks[0].duration_ms = 362_527;
    let page = html(&Frame { seconds: 362.6, sandbox: true, ..frame() }, &outcome);
    assert!(page.contains("6m03s") && !page.contains("362527") && !page.contains("362.6"), "{page}");
    assert!(page.contains("in the sandbox (nothing of it is real), "), "{page}");
}

#[test]
fn two_stacks_are_two_suites() {
    let other = Frame { stack: "oz-test".to_owned(), ..frame() };
    let name = |frame: &Frame| {
        let xml = junit(frame, &mixed());
        xml.split("<testsuite name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_eq!(name(&frame()), "deploy.verify.oz-liveness.eu-central-1");
    assert_eq!(name(&other), "deploy.verify.oz-test.eu-central-1");
    // Several findings of one title are several cases.
    let needs = || Finding::new("needs", 0, "what the stack needs").found(Status::Warn, "gone");
    let outcome = Outcome { checks: vec![needs(), needs()], ..Outcome::new(Exit::Done, "verified", "") };
    let xml = junit(&frame(), &outcome);
    assert!(
        xml.contains("name=\"what the stack needs\"") && xml.contains("name=\"what the stack needs (2)\""),
        "{xml}"
    );
}

/// Every verb that works on a stack writes all three, on refusal too.
#[test]
fn every_verb_on_a_stack_writes_its_reports() {
    let home = Home::new();
    home.write("job.md", "before\n");
    let reports = "--junit r.xml --html r.html --summary job.md";
    let runs = [("plan", 0), ("up", 0), ("preflight", 0), ("conform", 0), ("verify", 0), ("diagnose", 0)];
    for (verb, code) in runs.into_iter().chain([("up --max-monthly 1 --set instance.type=c7i.4xlarge", 4)]) {
        home.run(&format!("--sandbox {verb} {reports}")).exits(code);
        let verb = verb.split(' ').next().unwrap();
        let xml = home.read("r.xml");
        elements(&xml);
        assert!(xml.contains(&format!("deploy.{verb}.oz-liveness.eu-central-1")), "{verb}: {xml}");
        assert!(home.read("r.html").contains(&format!("deploy {verb} in the sandbox")), "{verb}");
        assert!(home.read("job.md").contains(&format!(" deploy {verb} oz-liveness: ")), "{verb}");
    }
    home.run(&format!("--sandbox teardown --yes {reports}")).exits(0);
    let job = home.read("job.md");
    assert!(job.starts_with("before\n### "), "what stood there before stays: {job}");
    assert_eq!(job.matches("\n### ").count(), 8, "one a run: {job}");
    assert!(home.read("r.xml").contains(r#"name="delete load_balancer app-alb""#));
    // A command line that is refused says so where the last run said otherwise.
    home.run(&format!("--sandbox teardown --nope {reports}")).exits(2);
    assert!(home.read("r.xml").contains("--nope") && home.read("job.md").contains("--nope"));
}
