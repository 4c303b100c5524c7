//! Which certificate the listener gets where several would do.

use serde_json::{Value, json};

use crate::support::{Stage, tables};

const SEEDED: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/";

/// A certificate like the seeded one, but for these fields. Its ARN.
fn add(stage: &Stage, id: &str, fields: &Value) -> String {
    let arn = format!("{SEEDED}{id}");
    let mut row = stage.sandbox.world().rows(tables::CERTIFICATES).next().unwrap().clone();
    row["CertificateArn"] = json!(arn);
    for (field, value) in fields.as_object().unwrap() {
        row[field] = value.clone();
    }
    stage.edit(|aws| aws.add(tables::CERTIFICATES, &arn, row));
    arn
}

fn seeded(stage: &Stage) -> String {
    let world = stage.sandbox.world();
    world.rows(tables::CERTIFICATES).next().unwrap()["CertificateArn"].as_str().unwrap().to_owned()
}

/// The certificate of the listener on 443.
fn shown(stage: &Stage) -> String {
    let world = stage.sandbox.world();
    let listener = world.rows(tables::LISTENERS).find(|row| row["Port"] == 443).unwrap();
    listener["Certificates"][0]["CertificateArn"].as_str().unwrap().to_owned()
}

/// Longer lasting than the seeded one.
const LATER: i64 = 4_000_000_000;

#[tokio::test(start_paused = true)]
async fn the_listener_keeps_its_certificate_while_it_would_do() {
    let stage = Stage::up().await;
    let first = shown(&stage);
    let other = add(&stage, "ffffffff", &json!({"NotAfter": LATER, "DomainName": "app.example.com"}));
    assert_eq!(stage.plan().await, "");
    stage.unchanged_by("up").await;
    // It was revoked: the other one takes its place.
    let row = json!({
        "CertificateArn": first, "Status": "REVOKED", "KeyAlgorithm": "RSA-2048", "DomainName": "*.example.com",
    });
    let revoked = stage.edited(|aws| aws.add(tables::CERTIFICATES, &first, row));
    revoked.succeeds("up").await.changed(&["https_listener"]);
    assert_eq!(shown(&revoked), other);
}

/// An imported one lasts longer and is trusted by nobody.
#[tokio::test(start_paused = true)]
async fn certificates_of_amazon_come_before_imported_and_private_ones() {
    for kind in ["IMPORTED", "PRIVATE"] {
        let stage = Stage::new();
        let own = seeded(&stage);
        add(&stage, "ffffffff", &json!({"NotAfter": LATER, "Type": kind}));
        stage.succeeds("up").await;
        assert_eq!(shown(&stage), own, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn certificates_that_no_server_shows_are_not_taken() {
    let not_taken = [
        json!({"NotAfter": LATER, "ManagedBy": "CLOUDFRONT"}),
        json!({"NotAfter": LATER, "ExtendedKeyUsages": ["TLS_WEB_CLIENT_AUTHENTICATION"]}),
    ];
    for fields in not_taken {
        let stage = Stage::new();
        let own = seeded(&stage);
        add(&stage, "ffffffff", &fields);
        stage.succeeds("up").await;
        assert_eq!(shown(&stage), own, "{fields}");
    }
}

/// The summary lists the first hundred names only.
#[tokio::test(start_paused = true)]
async fn a_name_beyond_the_first_hundred_is_found() {
    let stage = Stage::new();
    stage.edit(|aws| aws.certificate().cover_only("example.org"));
    let many = json!({
        "SubjectAlternativeNameSummaries": ["example.org"], "HasAdditionalSubjectAlternativeNames": true,
        "SubjectAlternativeNames": ["example.org", "app.example.com"],
    });
    let arn = add(&stage, "ffffffff", &many);
    stage.succeeds("up").await;
    assert_eq!(shown(&stage), arn);
}
