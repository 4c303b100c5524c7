//! The reports of `verify`: JUnit XML that CI systems read, and one page for people.

use quick_xml::events::Event;

use crate::support::{Exit, Finding, Frame, Outcome, Problem, Status, html, junit};

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
    for loads in ["src=", "href=", "url(", "@import", "http://", "https://"] {
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
