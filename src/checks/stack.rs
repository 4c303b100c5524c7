//! A stack as AWS has it: what several checks read of it, each read made once.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::{Filter, Instance, InstanceTypeInfo, RouteTable, SecurityGroup, Subnet};
use aws_sdk_elasticloadbalancingv2::types::{Limit, Listener, LoadBalancer, TargetGroup};
use aws_sdk_route53::operation::get_hosted_zone::GetHostedZoneOutput;
use aws_sdk_route53::types::{DelegationSet, HostedZone, HostedZoneConfig};
use tokio::sync::OnceCell;

use crate::cloud::{self, Cloud, Memo};
use crate::config::Config;
use crate::engine::{Key, Outputs};
use crate::outcome::{Change, Finding, Status};
use crate::site::Site;
use crate::steps::target_group::Targets;
use crate::steps::{auto_scaling, load_balancer, security_groups, target_group};

/// What to do about a difference.
pub const UP: &str = "`deploy plan` shows it, `deploy up` fixes it.";

/// Nothing was shown of subnets that are not there.
pub const NO_SUBNET: &str = "none of these subnets is there";

/// More subnets than deploy.yaml can name.
const PAGE: i32 = 1000;

/// A stack that AWS is asked about.
pub struct Stack<'a> {
    /// AWS's clients.
    pub cloud: &'a Cloud,
    /// deploy.yaml.
    pub config: &'a Config,
    /// `None`: what the stack needs and never makes is not all there.
    pub site: Option<&'a Site>,
    /// The ids of what exists.
    pub ids: &'a Outputs,
    /// What `deploy plan` would print; empty without a site.
    pub changes: &'a [Change],
    /// The resources that are about to be made or changed.
    pub pending: BTreeSet<Key>,
    /// What a first look has read.
    pub memo: Rc<Memo>,
    reads: Reads,
}

/// What was read so far.
#[derive(Default)]
struct Reads {
    group: OnceCell<Option<AutoScalingGroup>>,
    instances: OnceCell<Vec<Instance>>,
    load_balancer: OnceCell<Option<LoadBalancer>>,
    listeners: OnceCell<Vec<Listener>>,
    target_group: OnceCell<Option<TargetGroup>>,
    targets: OnceCell<Option<Targets>>,
    security_groups: OnceCell<BTreeMap<String, SecurityGroup>>,
    subnets: OnceCell<Vec<Subnet>>,
    instance_type: OnceCell<Option<InstanceTypeInfo>>,
    hosted_zone: OnceCell<Option<GetHostedZoneOutput>>,
    route_tables: OnceCell<Vec<RouteTable>>,
    balancing_limits: OnceCell<Vec<Limit>>,
}

impl<'a> Stack<'a> {
    /// A stack of which nothing was read yet.
    pub fn new(
        cloud: &'a Cloud,
        config: &'a Config,
        site: Option<&'a Site>,
        ids: &'a Outputs,
        changes: &'a [Change],
    ) -> Stack<'a> {
        let (pending, memo, reads) = (BTreeSet::new(), Rc::default(), Reads::default());
        Stack { cloud, config, site, ids, changes, pending, memo, reads }
    }

    /// The same, about to be changed in these resources, a moment after a first look has read this.
    pub fn pending(self, pending: BTreeSet<Key>, memo: Rc<Memo>) -> Stack<'a> {
        Stack { pending, memo, ..self }
    }

    /// Reads ahead what most checks look at.
    ///
    /// # Errors
    /// AWS does not say what exists.
    pub async fn read_ahead(&self) -> cloud::Result<()> {
        tokio::try_join!(self.group(), self.load_balancer(), self.target_group())?;
        tokio::try_join!(self.listeners(), self.instances())?;
        Ok(())
    }

    /// The auto scaling group.
    ///
    /// # Errors
    /// Auto Scaling does not describe it.
    pub async fn group(&self) -> cloud::Result<Option<&AutoScalingGroup>> {
        let read = async || match self.ids.get(&auto_scaling::NAME) {
            Some(name) => auto_scaling::find_group(self.cloud, name).await,
            None => Ok(None),
        };
        Ok(self.reads.group.get_or_try_init(read).await?.as_ref())
    }

    /// The group's instances, as EC2 describes them.
    ///
    /// # Errors
    /// EC2 or Auto Scaling does not describe them.
    pub async fn instances(&self) -> cloud::Result<&[Instance]> {
        let read = async || match self.group().await? {
            Some(group) => auto_scaling::find_instances(self.cloud, group).await,
            None => Ok(Vec::new()),
        };
        Ok(self.reads.instances.get_or_try_init(read).await?)
    }

    /// The load balancer.
    ///
    /// # Errors
    /// Elastic Load Balancing does not describe it.
    pub async fn load_balancer(&self) -> cloud::Result<Option<&LoadBalancer>> {
        let read = async || match self.ids.get(&load_balancer::ARN) {
            Some(arn) => load_balancer::find_load_balancer(self.cloud, arn).await,
            None => Ok(None),
        };
        Ok(self.reads.load_balancer.get_or_try_init(read).await?.as_ref())
    }

    /// The load balancer's listeners.
    ///
    /// # Errors
    /// Elastic Load Balancing does not describe them.
    pub async fn listeners(&self) -> cloud::Result<&[Listener]> {
        let read = async || match self.ids.get(&load_balancer::ARN) {
            Some(arn) => load_balancer::find_listeners(self.cloud, arn).await,
            None => Ok(Vec::new()),
        };
        Ok(self.reads.listeners.get_or_try_init(read).await?)
    }

    /// The target group.
    ///
    /// # Errors
    /// Elastic Load Balancing does not describe it.
    pub async fn target_group(&self) -> cloud::Result<Option<&TargetGroup>> {
        let read = async || match self.ids.get(&target_group::ARN) {
            Some(arn) => target_group::find_target_group(self.cloud, arn).await,
            None => Ok(None),
        };
        Ok(self.reads.target_group.get_or_try_init(read).await?.as_ref())
    }

    /// The health of the targets; `None`: there is no target group.
    ///
    /// # Errors
    /// Elastic Load Balancing does not describe it.
    pub async fn targets(&self) -> cloud::Result<Option<&Targets>> {
        let read = async || match self.ids.get(&target_group::ARN) {
            Some(arn) => target_group::find_targets(self.cloud, arn).await.map(Some),
            None => Ok(None),
        };
        Ok(self.reads.targets.get_or_try_init(read).await?.as_ref())
    }

    /// The security groups that the load balancer and the instances really have, by id.
    ///
    /// # Errors
    /// EC2 does not describe them.
    pub async fn security_groups(&self) -> cloud::Result<&BTreeMap<String, SecurityGroup>> {
        let read = async || {
            let (of_balancer, of_instances) = tokio::try_join!(self.balancer_groups(), self.instance_groups())?;
            let ids: BTreeSet<String> = of_balancer.into_iter().chain(of_instances).collect();
            security_groups::find_security_groups(self.cloud, ids.into_iter().collect()).await
        };
        self.reads.security_groups.get_or_try_init(read).await
    }

    /// Those of deploy.yaml's subnets that exist, wherever they are.
    ///
    /// # Errors
    /// EC2 does not describe them.
    pub async fn subnets(&self) -> cloud::Result<&[Subnet]> {
        let read = async || {
            let network = &self.config.network;
            let ids: BTreeSet<&String> = network.private_subnets.iter().chain(&network.public_subnets).collect();
            // By a filter: asked for by its id, one that is not there hides the others.
            let filter = Filter::builder().name("subnet-id").set_values(Some(ids.into_iter().cloned().collect()));
            let pages = self.cloud.ec2.describe_subnets().filters(filter.build()).into_paginator().page_size(PAGE);
            Ok::<_, cloud::Error>(pages.items().send().try_collect().await?)
        };
        Ok(self.reads.subnets.get_or_try_init(read).await?)
    }

    /// The instance type; `None`: the region has none of this name.
    ///
    /// # Errors
    /// EC2 does not describe it.
    pub async fn instance_type(&self) -> cloud::Result<Option<&InstanceTypeInfo>> {
        let read = async || {
            let filter = Filter::builder().name("instance-type").values(&self.config.instance.instance_type).build();
            let pages = self.cloud.ec2.describe_instance_types().filters(filter).into_paginator().page_size(100);
            let found: Vec<InstanceTypeInfo> = pages.items().send().try_collect().await?;
            Ok::<_, cloud::Error>(found.into_iter().next())
        };
        Ok(self.reads.instance_type.get_or_try_init(read).await?.as_ref())
    }

    /// Ids of the load balancer's security groups.
    ///
    /// # Errors
    /// Elastic Load Balancing does not describe it.
    pub async fn balancer_groups(&self) -> cloud::Result<Vec<String>> {
        let balancer = self.load_balancer().await?;
        Ok(balancer.map(|balancer| balancer.security_groups().to_vec()).unwrap_or_default())
    }

    /// Ids of the running instances' security groups; without any, the one that the template gives them.
    ///
    /// # Errors
    /// EC2 or Auto Scaling does not describe them.
    pub async fn instance_groups(&self) -> cloud::Result<Vec<String>> {
        let of_instances = self.instances().await?.iter().flat_map(aws_sdk_ec2::types::Instance::security_groups);
        let mut ids: Vec<String> = of_instances.filter_map(|group| group.group_id.clone()).collect();
        if ids.is_empty() {
            ids.extend(self.ids.get(&security_groups::INSTANCE_ID).cloned());
        }
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// The record's zone, with its name servers and the VPCs of a private one; `None`: there is no record.
    ///
    /// # Errors
    /// Route 53 does not say.
    pub async fn hosted_zone(&self) -> cloud::Result<Option<&GetHostedZoneOutput>> {
        let read = async || match self.site.and_then(|site| site.zone.as_ref()) {
            Some(zone) => Ok(Some(self.cloud.route53.get_hosted_zone().id(&zone.id).send().await?)),
            None => Ok::<_, cloud::Error>(None),
        };
        Ok(self.reads.hosted_zone.get_or_try_init(read).await?.as_ref())
    }

    /// The name servers of the record's zone; none of a private zone.
    ///
    /// # Errors
    /// Route 53 does not say.
    pub async fn name_servers(&self) -> cloud::Result<&[String]> {
        let zone = self.hosted_zone().await?.filter(|zone| !is_private(zone));
        Ok(zone.and_then(GetHostedZoneOutput::delegation_set).map(DelegationSet::name_servers).unwrap_or_default())
    }

    /// The limits of Elastic Load Balancing.
    ///
    /// # Errors
    /// It does not say.
    pub async fn balancing_limits(&self) -> cloud::Result<&[Limit]> {
        let read = async || {
            let request = self.cloud.elb.describe_account_limits().page_size(400);
            Ok::<_, cloud::Error>(request.send().await?.limits.unwrap_or_default())
        };
        Ok(self.reads.balancing_limits.get_or_try_init(read).await?)
    }

    /// The route tables of the VPC.
    ///
    /// # Errors
    /// EC2 does not describe them.
    pub async fn route_tables(&self) -> cloud::Result<&[RouteTable]> {
        let read = async || {
            let of_vpc = Filter::builder().name("vpc-id").values(&self.config.network.vpc).build();
            let request = self.cloud.ec2.describe_route_tables().filters(of_vpc).into_paginator().page_size(100);
            let tables: Vec<RouteTable> = request.items().send().try_collect().await?;
            Ok::<_, cloud::Error>(tables)
        };
        Ok(self.reads.route_tables.get_or_try_init(read).await?)
    }

    /// The name of the record's zone.
    pub fn zone_name(&self) -> Option<&str> {
        self.site.and_then(|site| site.zone.as_ref()).map(|zone| zone.name.as_str())
    }

    /// What a check finds when its resource is not there.
    pub fn absent(&self, finding: Finding, resource: &str) -> Finding {
        let change = self.changes.iter().find(|change| change.resource == resource);
        let name = change.map_or(resource, |change| change.name.as_str());
        finding.fail(format!("{name} does not exist"), "the stack was not made, or not wholly", "`deploy up` makes it.")
    }
}

/// What a check of instances finds where there are to be none.
pub fn while_parked(stack: &Stack<'_>, finding: &Finding) -> Option<Finding> {
    let sizes = stack.ids.get(&auto_scaling::PARKED)?;
    let evidence = format!("parked: no instances; {sizes} when it comes back");
    Some(finding.clone().fail(evidence, "`deploy park` took its instances", "`deploy unpark` brings them back."))
}

/// Whether only VPCs are answered by this zone.
pub fn is_private(zone: &GetHostedZoneOutput) -> bool {
    zone.hosted_zone().and_then(HostedZone::config).is_some_and(HostedZoneConfig::private_zone)
}

/// What a check finds when AWS does not answer its question.
pub fn unanswered(finding: Finding, error: &cloud::Error) -> Finding {
    let (cause, fix) = match cloud::explain(error) {
        Some(row) => (row.cause.as_str(), row.fix_of(error)),
        None => {
            ("AWS did not answer the question", "The caller needs the permission to read it; see the error.".to_owned())
        }
    };
    finding.found(Status::Unknown, error.to_string()).because(cause, fix)
}
