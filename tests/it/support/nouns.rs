//! What can be edited of each of AWS's nouns.

use serde_json::{Value, json};

/// Rows to change.
pub struct Rows<'a>(pub Vec<&'a mut Value>);

impl Rows<'_> {
    fn each(self, change: impl FnMut(&mut Value)) {
        self.0.into_iter().for_each(change);
    }

    fn set(self, field: &str, value: impl Into<Value>) {
        let value = value.into();
        self.each(|row| row[field] = value.clone());
    }

    /// An attribute of a load balancer or a target group.
    fn set_attribute(self, key: &str, value: &str) {
        self.each(|row| {
            let attributes = row["_attributes"].as_array_mut().unwrap();
            let attribute = attributes.iter_mut().find(|attribute| attribute["Key"] == key);
            attribute.unwrap_or_else(|| panic!("no attribute {key}"))["Value"] = json!(value);
        });
    }
}

pub struct LoadBalancer<'a>(pub(super) Rows<'a>);

impl LoadBalancer<'_> {
    pub fn protect(self) {
        self.0.set_attribute("deletion_protection.enabled", "true");
    }

    /// Somebody put the account's web ACL before it.
    pub fn stand_behind_web_acl(self) {
        let arn =
            "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/no-bots/0f0f0f0f-5555-6666-7777-888888888888";
        self.0.set("_web_acl", arn);
    }

    /// It reads back in a VPC that nobody asked for.
    pub fn stand_in_another_vpc(self) {
        self.0.set("VpcId", "vpc-0ddddddddddddddd0");
    }

    pub fn leave_last_zone(self) {
        self.0.each(|row| {
            row["AvailabilityZones"].as_array_mut().unwrap().pop().unwrap();
        });
    }

    pub fn carry_security_group(self, id: &str) {
        self.0.set("SecurityGroups", json!([id]));
    }
}

pub struct Listeners<'a>(pub(super) Rows<'a>);

impl Listeners<'_> {
    pub fn redirect(self) {
        let action = json!({"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_302"}});
        self.0.set("DefaultActions", json!([action]));
    }
}

pub struct TargetGroup<'a>(pub(super) Rows<'a>);

impl TargetGroup<'_> {
    /// The success codes of its health check.
    pub fn matcher(self, codes: &str) {
        self.0.set("Matcher", json!({"HttpCode": codes}));
    }

    pub fn health_check_port(self, port: &str) {
        self.0.set("HealthCheckPort", port);
    }

    pub fn algorithm(self, name: &str) {
        self.0.set_attribute("load_balancing.algorithm.type", name);
    }

    /// No listener forwards to it.
    pub fn leave_load_balancer(self) {
        self.0.set("LoadBalancerArns", json!([]));
    }
}

pub struct AutoScalingGroup<'a>(pub(super) Rows<'a>);

impl AutoScalingGroup<'_> {
    pub fn protect(self) {
        self.0.set("DeletionProtection", "prevent-all-deletion");
    }

    pub fn suspend(self, process: &str) {
        self.0.set("SuspendedProcesses", json!([{"ProcessName": process}]));
    }

    /// A lifecycle hook that instances meet on their way out.
    pub fn hook_on_termination(self, name: &str) {
        let transition = "autoscaling:EC2_INSTANCE_TERMINATING";
        self.0.set("_hooks", json!([{"LifecycleHookName": name, "LifecycleTransition": transition}]));
    }

    /// Takes its template by `$Default` or `$Latest`, as the console's wizard leaves it, not by a number.
    pub fn follow(self, version: &str) {
        self.0.each(|row| row["LaunchTemplate"]["Version"] = json!(version));
    }

    pub fn max_size(self, size: u32) {
        self.0.set("MaxSize", size);
    }

    pub fn desired_capacity(self, capacity: u32) {
        self.0.set("DesiredCapacity", capacity);
    }

    pub fn leave_target_group(self) {
        self.0.set("TargetGroupARNs", json!([]));
    }

    /// Judges its instances by EC2's own checks, from their start.
    pub fn heed_ec2_only(self) {
        self.0.each(|row| {
            row["HealthCheckType"] = json!("EC2");
            row["HealthCheckGracePeriod"] = json!(0);
        });
    }
}

pub struct ScalingPolicy<'a>(pub(super) Rows<'a>);

impl ScalingPolicy<'_> {
    pub fn lose_alarms(self) {
        self.0.set("Alarms", json!([]));
    }

    pub fn disable(self) {
        self.0.set("Enabled", false);
    }
}

pub struct Instances<'a>(pub(super) Rows<'a>);

impl Instances<'_> {
    pub fn protect_from_scale_in(self) {
        self.0.set("_protected", true);
    }

    pub fn enter_standby(self) {
        self.0.set("_standby", true);
    }

    /// A lifecycle hook of the group holds them on their way out.
    pub fn wait_for_hook(self) {
        self.0.set("_held", true);
    }

    /// Detached from their group, which no longer knows them.
    pub fn leave_group(self) {
        self.0.each(|row| {
            row["_group"] = Value::Null;
            row["tagSet"].as_array_mut().unwrap().retain(|tag| tag["key"] != "aws:autoscaling:groupName");
        });
    }

    pub fn lose_profile(self) {
        self.0.set("iamInstanceProfile", Value::Null);
    }

    /// They come from this version of the launch template.
    pub fn come_from_version(self, version: &str) {
        self.0.each(|row| row["_template"]["Version"] = json!(version));
    }

    /// From the same version of another template, which was there before.
    pub fn come_from_template(self, id: &str) {
        self.0.each(|row| row["_template"]["LaunchTemplateId"] = json!(id));
    }

    /// They were started by hand, from no launch template.
    pub fn come_from_no_template(self) {
        self.0.set("_template", Value::Null);
    }
}

pub struct SecurityGroups<'a>(pub(super) Rows<'a>);

impl SecurityGroups<'_> {
    /// Takes out the rules of one port.
    pub fn close(self, port: u16) {
        self.each_rules(|rules| rules.retain(|rule| rule["fromPort"] != port));
    }

    /// Opens a port to addresses, and no longer to a group.
    pub fn open_to_addresses(self, port: u16, cidr: &str) {
        self.each_rules(|rules| {
            for rule in rules.iter_mut().filter(|rule| rule["fromPort"] == port) {
                (rule["referencedGroupInfo"], rule["cidrIpv4"]) = (Value::Null, json!(cidr));
            }
        });
    }

    pub fn open_ssh(self) {
        self.0.each(|row| {
            let ssh = json!({
                "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0", "isEgress": false,
                "securityGroupRuleId": "sgr-0b0b0b0b0b0b0b0b0", "groupId": row["groupId"],
            });
            row["_rules"].as_array_mut().unwrap().push(ssh);
        });
    }

    pub fn each_rules(self, mut change: impl FnMut(&mut Vec<Value>)) {
        self.0.each(|row| change(row["_rules"].as_array_mut().unwrap()));
    }

    pub fn lose_tags(self) {
        self.0.set("tagSet", json!([]));
    }

    /// Until when their stack is wanted.
    pub fn expire(self, time: &str) {
        let tag = json!({"key": "oz-deploy:expires", "value": time});
        self.0.each(|row| {
            let tags = row["tagSet"].as_array_mut().unwrap();
            tags.retain(|tag| tag["key"] != "oz-deploy:expires");
            tags.push(tag.clone());
        });
    }

    pub fn lose_tag(self, key: &str) {
        self.0.each(|row| row["tagSet"].as_array_mut().unwrap().retain(|tag| tag["key"] != key));
    }
}

pub struct LaunchTemplate<'a>(pub(super) Rows<'a>);

impl LaunchTemplate<'_> {
    /// Its first version names another instance profile.
    pub fn name_profile(self, name: &str) {
        let profile = json!({"name": name});
        self.0.each(|row| row["_versions"][0]["launchTemplateData"]["iamInstanceProfile"] = profile.clone());
    }

    pub fn lose_version(self, number: u64) {
        self.0.each(|row| row["_versions"].as_array_mut().unwrap().retain(|one| one["versionNumber"] != number));
    }

    pub fn default_version(self, number: u64) {
        self.0.each(|row| {
            row["defaultVersionNumber"] = json!(number);
            for version in row["_versions"].as_array_mut().unwrap() {
                version["defaultVersion"] = json!(version["versionNumber"] == number);
            }
        });
    }
}

pub struct Role<'a>(pub(super) Rows<'a>);

impl Role<'_> {
    pub fn detach_policies(self) {
        self.0.set("_attached", json!([]));
    }
}

pub struct InstanceProfile<'a>(pub(super) Rows<'a>);

impl InstanceProfile<'_> {
    pub fn lose_role(self) {
        self.0.set("_role", Value::Null);
    }
}

pub struct RouteTable<'a>(pub(super) Rows<'a>);

impl RouteTable<'_> {
    /// Nothing but the network itself is reached.
    pub fn lose_default_route(self) {
        self.0.each(|row| row["routeSet"].as_array_mut().unwrap().retain(|one| one["gatewayId"] == "local"));
    }

    /// The gateway was removed, and its route stays.
    pub fn lead_into_a_hole(self) {
        self.0.each(|row| {
            for route in row["routeSet"].as_array_mut().unwrap().iter_mut().filter(|one| one["gatewayId"] != "local") {
                route["state"] = json!("blackhole");
            }
        });
    }

    /// It is the one of subnets without a table of their own.
    pub fn become_the_main_one(self) {
        let association = json!([{"routeTableAssociationId": "rtbassoc-0", "main": true}]);
        self.0.set("associationSet", association);
    }
}

pub struct Certificate<'a>(pub(super) Rows<'a>);

impl Certificate<'_> {
    pub fn status(self, status: &str) {
        self.0.set("Status", status);
    }

    pub fn key_algorithm(self, name: &str) {
        self.0.set("KeyAlgorithm", name);
    }

    pub fn cover_only(self, name: &str) {
        self.0.each(|row| {
            row["DomainName"] = json!(name);
            row["SubjectAlternativeNames"] = json!([name]);
            row["SubjectAlternativeNameSummaries"] = json!([name]);
        });
    }

    pub fn arn(self, arn: &str) {
        self.0.set("CertificateArn", arn);
    }

    /// The name that it is for is beyond those that a list shows.
    pub fn show_few_names(self) {
        self.0.each(|row| {
            row["SubjectAlternativeNames"] = json!(["example.org", "app.example.com"]);
            row["DomainName"] = json!("example.org");
            row["SubjectAlternativeNameSummaries"] = json!(["example.org"]);
            row["HasAdditionalSubjectAlternativeNames"] = json!(true);
        });
    }

    pub fn not_after(self, unix_seconds: i64) {
        self.0.set("NotAfter", unix_seconds);
    }
}

pub struct Record<'a>(pub(super) Rows<'a>);

impl Record<'_> {
    pub fn alias(self, name: &str) {
        self.0.each(|row| row["AliasTarget"]["DNSName"] = json!(name));
    }

    pub fn ignore_targets_health(self) {
        self.0.each(|row| row["AliasTarget"]["EvaluateTargetHealth"] = json!("false"));
    }
}
