//! Another client of the same account: what someone does in the console, or another program.

use std::ops::Deref;

use aws_sdk_autoscaling::types as asg;
use aws_sdk_ec2::types::RequestLaunchTemplateData;
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_route53::types as dns;

use super::program::{Cloud, Error};

pub const VPC: &str = "vpc-0a1b2c3d4e5f60718";
/// The private ones.
const SUBNETS: [&str; 2] = ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"];
pub const POLICY_ARN: &str = "arn:aws:iam::123456789012:policy/OZMarketplacePolicy";
/// EC2 may assume the role.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// A trust policy that is not the stack's.
pub const TRUST_OF_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// A policy document that is not the stack's.
pub const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:A","Resource":"*"}]}"#;

/// AWS's clients, with words for what several tests do with them.
pub struct OtherClient(pub Cloud);

impl Deref for OtherClient {
    type Target = Cloud;

    fn deref(&self) -> &Cloud {
        &self.0
    }
}

impl OtherClient {
    /// The id of the security group of this name.
    pub async fn security_group(&self, name: &str) -> String {
        let reply = self.ec2.describe_security_groups().send().await.unwrap();
        let group = reply.security_groups().iter().find(|group| group.group_name() == Some(name));
        group.unwrap().group_id().unwrap().to_owned()
    }

    /// Its id.
    pub async fn create_security_group(&self, name: &str) -> String {
        let request = self.ec2.create_security_group().group_name(name).description("theirs").vpc_id(VPC);
        request.send().await.unwrap().group_id.unwrap()
    }

    /// The ARN of the stack's target group.
    pub async fn target_group(&self) -> String {
        let reply = self.elb.describe_target_groups().names("app-tg").send().await.unwrap();
        reply.target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    /// As the console's wizard makes it. Its ARN.
    pub async fn create_target_group(&self, name: &str) -> String {
        let request = self.elb.create_target_group().name(name).protocol(elb::ProtocolEnum::Http).port(80);
        let reply = request.vpc_id(VPC).send().await.unwrap();
        reply.target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    /// The stack's load balancer.
    pub async fn load_balancer(&self) -> elb::LoadBalancer {
        let reply = self.elb.describe_load_balancers().names("app-alb").send().await.unwrap();
        reply.load_balancers()[0].clone()
    }

    /// The ARN of its listener on this port.
    pub async fn listener(&self, port: i32) -> String {
        let balancer = self.load_balancer().await.load_balancer_arn.unwrap();
        let reply = self.elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
        let listener = reply.listeners().iter().find(|listener| listener.port() == Some(port));
        listener.unwrap().listener_arn().unwrap().to_owned()
    }

    /// An internal one in the stack's subnets.
    pub async fn create_load_balancer(&self, name: &str, tag: Option<(&str, &str)>) -> elb::LoadBalancer {
        let tags = tag.map(|(key, value)| vec![elb::Tag::builder().key(key).value(value).build()]);
        let request = self.elb.create_load_balancer().name(name).scheme(elb::LoadBalancerSchemeEnum::Internal);
        let request = request.subnets(SUBNETS[0]).subnets(SUBNETS[1]).set_tags(tags);
        request.send().await.unwrap().load_balancers()[0].clone()
    }

    /// Without instances.
    pub async fn create_auto_scaling_group(&self, name: &str, template: &str, tag: Option<(&str, &str)>) {
        let tags = tag.map(|(key, value)| vec![asg::Tag::builder().key(key).value(value).build()]);
        let template = asg::LaunchTemplateSpecification::builder().launch_template_name(template).version("1").build();
        let request = self.autoscaling.create_auto_scaling_group().auto_scaling_group_name(name);
        let request = request.launch_template(template).min_size(0).max_size(1).set_tags(tags);
        request.vpc_zone_identifier(SUBNETS[0]).send().await.unwrap();
    }

    /// A template of the stack's image.
    pub async fn create_launch_template(&self, name: &str) {
        let data = RequestLaunchTemplateData::builder().image_id("ami-0c0ffee0c0ffee0c0").build();
        let request = self.ec2.create_launch_template().launch_template_name(name);
        request.launch_template_data(data).send().await.unwrap();
    }

    /// A new version of the stack's template, from an older one or from nothing; and the default from now on.
    pub async fn replace_launch_template(&self, data: RequestLaunchTemplateData, source: Option<&str>) {
        let name = "app-launch-template";
        let request = self.ec2.create_launch_template_version().launch_template_name(name);
        let request = request.set_source_version(source.map(str::to_owned)).launch_template_data(data);
        let number = request.send().await.unwrap().launch_template_version.unwrap().version_number.unwrap();
        let request = self.ec2.modify_launch_template().launch_template_name(name);
        request.default_version(number.to_string()).send().await.unwrap();
    }

    /// A new default version of the stack's IAM policy.
    pub async fn replace_policy(&self, document: &str) {
        let request = self.iam.create_policy_version().policy_arn(POLICY_ARN).policy_document(document);
        request.set_as_default(true).send().await.unwrap();
    }

    pub async fn create_role(&self, name: &str) {
        let request = self.iam.create_role().role_name(name).assume_role_policy_document(TRUST);
        request.send().await.unwrap();
    }

    /// Makes a plain record.
    pub async fn create_record(&self, name: &str) -> Result<(), Error> {
        let value = dns::ResourceRecord::builder().value("192.0.2.1").build()?;
        let set = dns::ResourceRecordSet::builder().name(name).r#type(dns::RrType::A).ttl(300);
        self.change_record(dns::ChangeAction::Create, set.resource_records(value).build()?).await
    }

    /// Points the stack's record at this name.
    pub async fn point_record(&self, name: &str, evaluate_target_health: bool) {
        let alias = dns::AliasTarget::builder().hosted_zone_id("Z215JYRZR1TBD5").dns_name(name);
        let alias = alias.evaluate_target_health(evaluate_target_health).build().unwrap();
        let set = dns::ResourceRecordSet::builder().name("app.example.com").r#type(dns::RrType::A).alias_target(alias);
        self.change_record(dns::ChangeAction::Upsert, set.build().unwrap()).await.unwrap();
    }

    async fn change_record(&self, action: dns::ChangeAction, set: dns::ResourceRecordSet) -> Result<(), Error> {
        let change = dns::Change::builder().action(action).resource_record_set(set).build()?;
        let request = self.route53.change_resource_record_sets().hosted_zone_id("Z0SANDBOX0EXAMPLE");
        request.change_batch(dns::ChangeBatch::builder().changes(change).build()?).send().await?;
        Ok(())
    }
}
