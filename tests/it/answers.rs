//! What comes back that is not the service's own good answer: who said it, and why. And whom the client trusts, and
//! which way it goes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DnType, KeyPair};

use crate::support::{LoopbackService, Run, end_tls};

/// A server that answers every request with these bytes, after it has read its first ones; and what it read.
fn canned(answer: impl Into<Vec<u8>>) -> (String, Receiver<String>) {
    let (listener, answer) = (TcpListener::bind("127.0.0.1:0").unwrap(), answer.into());
    let (url, (told, seen)) = (format!("http://{}", listener.local_addr().unwrap()), channel());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut first = [0; 2048];
            let read = client.read(&mut first).unwrap_or_default();
            let _ = told.send(String::from_utf8_lossy(&first[..read]).into_owned());
            let _ = client.write_all(&answer);
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    (url, seen)
}

fn page(status: &str, server: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{server}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What a liveness call to this answer ends in.
fn liveness(service: &LoopbackService, answer: impl Into<Vec<u8>>) -> Run {
    let (url, _seen) = canned(answer);
    service.run(&format!("liveness capture.json --base-url {url} --json"))
}

#[test]
fn status_and_server_tell_who_answered() {
    let service = LoopbackService::new();
    let html = "<html><body>Forbidden</body></html>";
    let elb = "Server: awselb/2.0\r\n";
    let rows = [
        ("403 Forbidden", elb, "text/html", html, "HTTP 403 from the load balancer (a web ACL (AWS WAF)"),
        ("403 Forbidden", "Server: nginx\r\n", "text/html", html, "HTTP 403 from \"nginx\""),
        ("403 Forbidden", "", "text/html", html, "a firewall or gateway before the service"),
        (
            "413 Payload Too Large",
            "Server: cloudflare\r\n",
            "application/json",
            r#"{"message":"Request Too Long"}"#,
            "HTTP 413 from \"cloudflare\" (its header Server): Request Too Long",
        ),
        ("413 Payload Too Large", "", "application/json", "{}", "larger than what stands before the service takes"),
        ("460 ", elb, "text/html", html, "closed the connection before the answer"),
        ("463 ", elb, "text/html", html, "more than 30 addresses"),
        ("464 ", elb, "text/html", html, "protocol version"),
        ("502 Bad Gateway", elb, "text/html", html, "no usable answer from the instance"),
        ("503 Service Unavailable", elb, "application/json", "{}", "none is registered"),
        ("504 Gateway Timeout", elb, "text/html", html, "within 10 s"),
        (
            "504 Gateway Timeout",
            "Server: squid/5.7\r\n",
            "text/html",
            html,
            "what stands before the service got no answer",
        ),
        ("561 ", elb, "text/html", html, "a listener asks who calls"),
        ("429 Too Many Requests", "", "text/plain", "slow down", "too many requests"),
        (
            "302 Found",
            "Location: https://login.corp.example/start?token=a\r\n",
            "text/html",
            html,
            "a redirect to login.corp.example, which is not followed",
        ),
        (
            "200 OK",
            "Server: portal\r\n",
            "text/html",
            "<html>Welcome</html>",
            "the body is not JSON (Server: portal, text/html)",
        ),
    ];
    for (status, head, kind, body, words) in rows {
        let run = liveness(&service, page(status, head, kind, body));
        let verdict = &run.exits(6).json()["verdict"];
        run.prints(&words.replace('"', "\\\"")).demand(verdict["transport"] == "failed", || format!("{status} {head}"));
        run.demand(!run.stdout().contains("token=a"), || "queries of redirects are not shown".to_owned());
    }
    // The service's own words, whatever stands before it.
    let own = r#"{"error_code": 4, "error_message": "bad media", "details": null}"#;
    let run = liveness(&service, page("400 Bad Request", "Server: nginx\r\n", "application/json", own));
    run.exits(6).prints("HTTP 400 from the service: error_code 4 (invalid value): bad media");
    assert_eq!(run.json()["verdict"]["transport"], "ok");
}

#[test]
fn a_status_that_arrives_in_the_middle_of_an_upload_is_kept() {
    let service = LoopbackService::new();
    std::fs::create_dir(service.path("frames")).unwrap();
    let mut frame = vec![0xff, 0xd8, 0xff];
    frame.resize(20 << 20, 7);
    service.write("frames/1.jpeg", &frame);
    for answer in [
        page("413 Payload Too Large", "Server: nginx\r\n", "text/html", "<html>413</html>"),
        // The body is promised and never comes.
        "HTTP/1.1 413 Payload Too Large\r\nServer: nginx\r\nContent-Length: 99\r\n\r\n<html>".to_owned(),
    ] {
        for _ in 0..5 {
            let (url, _seen) = canned(answer.clone());
            let run = service.run(&format!("liveness frames --base-url {url}"));
            run.exits(6).prints("HTTP 413 from \"nginx\"");
        }
    }
    let (url, _seen) = canned("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"a\"");
    service.run(&format!("liveness capture.json --base-url {url}")).exits(6).prints("the answer was cut");
}

#[test]
fn nothing_of_this_machine_goes_through_a_proxy() {
    let service = LoopbackService::new();
    let (proxy, seen) = canned(page("403 Forbidden", "", "text/html", ""));
    let through = |line: &str, variables: &[(&str, &str)]| {
        let mut command = service.command(line);
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        Run::of(command.envs(variables.iter().copied()))
    };
    let everywhere = [("HTTP_PROXY", proxy.as_str()), ("HTTPS_PROXY", &proxy), ("ALL_PROXY", &proxy)];
    let localhost = service.url.replace("127.0.0.1", "localhost");
    for url in [service.url.as_str(), &localhost] {
        through(&format!("liveness capture.json --base-url {url}"), &everywhere).exits(0);
        through(&format!("verify --base-url {url} --capture capture.json"), &everywhere).exits(0);
    }
    assert!(seen.try_recv().is_err(), "the proxy saw a face");
    // What does leave it goes through, and the error names the proxy without its password.
    let with_password = proxy.replace("http://", "http://user:hunter22@");
    let run =
        through("verify --base-url http://app.example.com --allow-http", &[("HTTP_PROXY", with_password.as_str())]);
    run.exits(6).demand(!run.to_string().replace(&with_password, "").contains("hunter22"), || "a password".to_owned());
    assert!(
        seen.recv_timeout(Duration::from_secs(9)).unwrap().starts_with("GET http://app.example.com:80/api/version ")
    );
    let run = through("verify --base-url https://app.example.com", &[("HTTPS_PROXY", &proxy)]);
    run.exits(6).prints("(HTTPS_PROXY) does not lead to app.example.com:443: HTTP 403");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_before_any_call() {
    let service = LoopbackService::new();
    let ended = |line: &str, name: &str, value: &str| {
        let mut command = service.command(line);
        Run::of(command.env(name, value).env("AWS_REGION", "eu-central-1"))
    };
    for value in ["http://", "http://user:hunter22@proxy:port", "::::", "ftp://proxy", "http://pro xy"] {
        for line in ["liveness capture.json --base-url URL", "verify --base-url https://app.example.com"] {
            let run = ended(line, "HTTPS_PROXY", value);
            run.exits(2)
                .says("HTTPS_PROXY is not the URL of a proxy")
                .says("HTTPS_PROXY=http://proxy.example.com:3128");
            run.demand(!run.stderr().contains("hunter22"), || "a password".to_owned());
        }
    }
    let run = ended("verify --base-url https://app.example.com", "ALL_PROXY", "socks5://127.0.0.1:1080");
    run.exits(6).prints("ALL_PROXY names a SOCKS proxy");
    ended("liveness capture.json --base-url URL", "ALL_PROXY", "socks5://127.0.0.1:1080").exits(0);
    service.write("deploy.yaml", "network: {}\n");
}

#[test]
fn a_servers_own_certificate_is_trusted_where_it_is_given_itself() {
    let service = LoopbackService::new();
    let behind = service.url.trim_start_matches("http://").parse().unwrap();
    let named = |names: &[&str]| {
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
    };
    let authority = |mut params: CertificateParams| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
    };
    let common = |name: &str| {
        let mut params = authority(CertificateParams::default());
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let mut old = authority(named(&["localhost"]));
    old.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let rows = [
        ("leaf", named(&["localhost"]), None),
        ("authority", authority(named(&["localhost"])), None),
        ("common", common("localhost"), None),
        ("other", authority(named(&["other.example"])), Some("the certificate does not cover localhost")),
        ("other_common", common("other.example"), Some("the certificate does not cover localhost")),
        ("old", old, Some("it has expired")),
    ];
    for (name, params, refused) in rows {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        service.write(&format!("{name}.pem"), certificate.pem());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = format!("verify --base-url https://localhost:{}", listener.local_addr().unwrap().port());
        end_tls(listener, (certificate.der().clone(), &key), behind);
        let began = Instant::now();
        let given = service.run(&format!("{line} --ca-file {name}.pem"));
        given.exits(if refused.is_some() { 6 } else { 0 }).prints(refused.unwrap_or("pass"));
        let unknown = service.run(&line);
        unknown.exits(6).demand(!unknown.stdout().contains("OtherError"), || "in words".to_owned());
        if refused.is_none() {
            unknown.prints("--ca-file");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "a certificate is not asked for again");
    }
}
