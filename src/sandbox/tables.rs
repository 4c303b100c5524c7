//! The kinds of rows that a world has, under the names of its tables.

/// Virtual networks.
pub const VPCS: &str = "vpcs";
/// Subnets.
pub const SUBNETS: &str = "subnets";
/// Route tables.
pub const ROUTE_TABLES: &str = "route_tables";
/// NAT gateways.
pub const NAT_GATEWAYS: &str = "nat_gateways";
/// Internet gateways.
pub const INTERNET_GATEWAYS: &str = "internet_gateways";
/// VPC endpoints.
pub const VPC_ENDPOINTS: &str = "vpc_endpoints";
/// Images (AMIs).
pub const IMAGES: &str = "images";
/// Key pairs, by name.
pub const KEY_PAIRS: &str = "key_pairs";
/// Security groups; their rules are in each row's `_rules`.
pub const GROUPS: &str = "groups";
/// Launch templates; their versions are in each row's `_versions`.
pub const TEMPLATES: &str = "templates";
/// Instances.
pub const INSTANCES: &str = "instances";
/// EBS volumes.
pub const VOLUMES: &str = "volumes";
/// Network interfaces.
pub const INTERFACES: &str = "interfaces";
/// IAM policies. Scaling policies are in [`POLICIES_OF_GROUPS`].
pub const POLICIES: &str = "policies";
/// IAM roles; the ARNs of their policies are in each row's `_attached`.
pub const ROLES: &str = "roles";
/// Instance profiles; the role's name is in each row's `_role`.
pub const PROFILES: &str = "profiles";
/// Certificates by their ARN.
pub const CERTIFICATES: &str = "certificates";
/// Web ACLs of WAF by their ARN.
pub const WEB_ACLS: &str = "web_acls";
/// Load balancers; the ARN of the web ACL before one is in its row's `_web_acl`.
pub const BALANCERS: &str = "balancers";
/// Target groups; their targets are in each row's `_targets`.
pub const TARGET_GROUPS: &str = "target_groups";
/// Listeners of load balancers.
pub const LISTENERS: &str = "listeners";
/// Auto Scaling groups.
pub const ASGS: &str = "asgs";
/// Scaling policies of Auto Scaling groups.
pub const POLICIES_OF_GROUPS: &str = "policies_of_groups";
/// Scaling activities.
pub const ACTIVITIES: &str = "activities";
/// Instance refreshes.
pub const REFRESHES: &str = "refreshes";
/// Hosted zones; their records are in each row's `_records`.
pub const ZONES: &str = "zones";

/// Every table that there is.
pub const ALL: [&str; 26] = [
    VPCS,
    VPC_ENDPOINTS,
    SUBNETS,
    ROUTE_TABLES,
    NAT_GATEWAYS,
    INTERNET_GATEWAYS,
    IMAGES,
    KEY_PAIRS,
    GROUPS,
    TEMPLATES,
    INSTANCES,
    VOLUMES,
    INTERFACES,
    POLICIES,
    ROLES,
    PROFILES,
    CERTIFICATES,
    WEB_ACLS,
    BALANCERS,
    TARGET_GROUPS,
    LISTENERS,
    ASGS,
    POLICIES_OF_GROUPS,
    ACTIVITIES,
    REFRESHES,
    ZONES,
];
