//! What another client of AWS does to the account.

use aws_sdk_route53::types as dns;

use super::program::{Cloud, Error};

/// Makes the record of the stack's name as a plain one, as somebody else would.
pub async fn plain_record(cloud: &Cloud) -> Result<(), Error> {
    record_of_others(cloud, "app.example.com").await
}

/// Makes a plain record.
pub async fn record_of_others(cloud: &Cloud, name: &str) -> Result<(), Error> {
    let value = dns::ResourceRecord::builder().value("192.0.2.1").build()?;
    let set = dns::ResourceRecordSet::builder().name(name).r#type(dns::RrType::A).ttl(300);
    let change = dns::Change::builder().action(dns::ChangeAction::Create);
    let change = change.resource_record_set(set.resource_records(value).build()?).build()?;
    let request = cloud.route53.change_resource_record_sets().hosted_zone_id("Z0SANDBOX0EXAMPLE");
    request.change_batch(dns::ChangeBatch::builder().changes(change).build()?).send().await?;
    Ok(())
}
