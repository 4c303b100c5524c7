//! The client in a network of its own: names that lead elsewhere, zones that nobody is led to, proxies, tunnels, and
//! addresses without a way.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{BALANCER, ELSEWHERE, Network, RECORD, Run, Service, inside, proxy_at, samples};

const VERIFY: &str = "verify --capture capture.json --json";

fn network() -> Network {
    let network = Network::new();
    network.aws.write("capture.json", samples::capture("anna", false).to_string());
    network
}

/// The status of a check in a run's document.
#[track_caller]
fn status(run: &Run, id: &str) -> String {
    let document = run.json();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == id);
    check.unwrap_or_else(|| panic!("no check {id}\n\n{run}"))["status"].as_str().unwrap().to_owned()
}

/// All of a check's words.
#[track_caller]
fn words(run: &Run, id: &str) -> String {
    let document = run.json();
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).cloned().unwrap();
    ["evidence", "cause", "fix"].map(|part| check[part].as_str().unwrap_or_default().to_owned()).join("\n")
}

fn posts(service: &Service) -> usize {
    service.requests().iter().filter(|seen| seen.method == "POST").count()
}

#[test]
fn a_name_that_leads_to_this_stack_is_verified() {
    inside(|| {
        let network = network();
        let ours = network.serve_at(BALANCER);
        let run = network.run(VERIFY);
        run.exits(0);
        for id in ["reach_load_balancer", "certificate", "redirect", "version", "delegation", "record_resolved"] {
            assert_eq!(status(&run, id), "pass", "{id}\n\n{run}");
        }
        assert_eq!(posts(&ours), 1);
        network.run("diagnose").exits(0);
        network.run("up").exits(0);
    });
}

#[test]
fn a_name_that_leads_elsewhere_fails_before_any_face_is_sent() {
    inside(|| {
        let network = network();
        let (ours, theirs) = (network.serve_at(BALANCER), network.serve_at(ELSEWHERE));
        network.resolve(|names| names.lead(RECORD, &[ELSEWHERE]));
        let run = network.run(VERIFY);
        run.exits(6);
        assert_eq!(status(&run, "record_resolved"), "fail");
        let told = words(&run, "record_resolved");
        assert!(told.contains(ELSEWHERE) && told.contains(BALANCER), "{told}");
        assert_eq!(status(&run, "version"), "pass", "the service is judged at the load balancer itself");
        assert_eq!((posts(&ours), theirs.requests().len()), (0, 0), "nobody else is asked anything");
        network.run("diagnose").exits(6).prints("leads elsewhere");
        network.run("up").exits(6).says("leads elsewhere");
        // In one of two zones: told.
        network.resolve(|names| names.lead(RECORD, &[BALANCER, ELSEWHERE]));
        assert_eq!(status(&network.run("verify --json"), "record_resolved"), "warn");
    });
}

#[test]
fn a_zone_that_nobody_is_led_to_is_known_in_seconds() {
    inside(|| {
        let network = network();
        network.serve_at(BALANCER);
        network.resolve(|names| {
            names.addresses.remove(RECORD);
            names.servers.clear();
        });
        for (servers, said) in [(vec![], "names no servers"), (vec!["ns1.registrar.example".to_owned()], "is led to")] {
            network.resolve(|names| {
                names.servers.clear();
                if !servers.is_empty() {
                    names.servers.insert("example.com".to_owned(), servers);
                }
            });
            let began = Instant::now();
            let run = network.run(VERIFY);
            run.exits(6);
            assert!(began.elapsed() < Duration::from_secs(60), "it must not wait for what cannot heal");
            assert_eq!((status(&run, "delegation"), status(&run, "record_resolved")), ("fail".into(), "fail".into()));
            assert!(words(&run, "delegation").contains(said), "{run}");
            network.run("diagnose").exits(6).prints(said);
            network.run("up").exits(6).says(said);
        }
    });
}

#[test]
fn where_only_a_proxy_leads_out_everything_is_judged_through_it() {
    inside(|| {
        let network = network();
        let ours = network.serve_at(BALANCER);
        network.resolve(|names| names.addresses.clear());
        network.resolve(|names| names.servers.clear());
        network.resolve(|names| names.lead("proxy.corp.example", &["127.0.8.1"]));
        let leads = [(network.balancer.as_str(), BALANCER), (RECORD, BALANCER)];
        let seen = proxy_at("127.0.8.1:3128", &leads);
        let proxy = [("HTTPS_PROXY", "http://proxy.corp.example:3128")];
        let run = network.run_with(&format!("{VERIFY} --timeout 60s"), &proxy);
        run.exits(0);
        assert!(words(&run, "reach_load_balancer").contains("through the proxy http://proxy.corp.example:3128"));
        assert_eq!(status(&run, "certificate"), "pass");
        assert_eq!(posts(&ours), 1);
        network.run_with("up", &proxy).exits(0);
        assert!(seen.lock().unwrap().iter().all(|line| line.starts_with("CONNECT ")), "{seen:?}");
    });
}

#[test]
fn a_proxy_that_does_not_lead_there_is_named() {
    inside(|| {
        let network = network();
        network.serve_at(BALANCER);
        proxy_at("127.0.8.1:3128", &[]);
        network.resolve(|names| names.lead("proxy.corp.example", &["127.0.8.1"]));
        let proxy = [("HTTPS_PROXY", "http://user:hunter22@proxy.corp.example:3128")];
        let run = network.run_with(VERIFY, &proxy);
        run.exits(6);
        assert_eq!(status(&run, "reach_load_balancer"), "unknown");
        let told = words(&run, "reach_load_balancer");
        assert!(told.contains("HTTPS_PROXY") && told.contains("502"), "{told}");
        assert!(!run.to_string().contains("hunter22\""), "a password is in no output");
        // Around it there is a way.
        network.run_with(VERIFY, &[proxy[0], ("NO_PROXY", ".amazonaws.com,.example.com")]).exits(0);
    });
}

#[test]
fn every_address_is_tried_and_a_dead_one_is_told() {
    inside(|| {
        let network = network();
        network.serve_at(BALANCER);
        for addresses in [["127.0.1.9", BALANCER], [BALANCER, "127.0.1.11"]] {
            network.resolve(|names| {
                let balancer = network.balancer.clone();
                names.lead(&balancer, &addresses);
                names.lead(RECORD, &addresses);
            });
            let run = network.run(VERIFY);
            run.exits(0);
            assert_eq!(
                (status(&run, "reach_load_balancer"), status(&run, "certificate")),
                ("warn".into(), "pass".into())
            );
            let dead = addresses.iter().find(|ip| **ip != BALANCER).unwrap();
            assert!(words(&run, "reach_load_balancer").contains(&format!("not {dead}")), "{run}");
        }
    });
}

#[test]
fn an_internal_load_balancer_that_is_not_reached_is_no_failure_of_up() {
    inside(|| {
        let network = network();
        network.resolve(|names| {
            let balancer = network.balancer.clone();
            names.lead(&balancer, &["10.0.0.5"]);
            names.lead(RECORD, &["10.0.0.5"]);
        });
        network.zone.lock().unwrap().lead(RECORD, &["10.0.0.5"]);
        let run = network.run("up --json");
        run.exits(0).says("not asked from here").says("--connect-to");
        assert_eq!(status(&run, "version"), "unknown");
        network.run("up --require-answer").exits(6).says("--require-answer wants an answer");
        let run = network.run("verify --json");
        run.exits(6);
        assert_eq!(status(&run, "reach_load_balancer"), "unknown");
        assert!(words(&run, "reach_load_balancer").contains("no route"), "{run}");
        // A tunnel to it.
        let ours = network.serve_at("127.0.3.3");
        let run = network.run(&format!("{VERIFY} --connect-to 127.0.3.3:443"));
        run.exits(0);
        assert_eq!((status(&run, "certificate"), status(&run, "redirect")), ("pass".into(), "skip".into()));
        assert_eq!(posts(&ours), 1);
        network.run(&format!("liveness capture.json --base-url https://{RECORD} --connect-to 127.0.3.3:443")).exits(0);
        network.run(&format!("{VERIFY} --connect-to nowhere")).exits(2).says("--connect-to");
    });
}

#[test]
fn a_resolver_that_never_answers_does_not_outlive_the_deadline() {
    inside(|| {
        let network = network();
        network.resolve(|names| names.silent = true);
        let began = Instant::now();
        let run = network.run("verify --json --timeout 2s");
        run.exits(5);
        let document: Value = run.json();
        assert_eq!(document["outcome"], "timeout");
        assert!(began.elapsed() < Duration::from_secs(15), "a deadline of 2 s took {:?}", began.elapsed());
    });
}
