//! The flags of `deploy init` and `deploy schema`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration;

/// `deploy init`
#[derive(Debug, Args)]
pub struct Init {
    /// The VPC in which everything is made
    #[arg(long, value_name = "ID")]
    pub vpc: Option<String>,
    /// Subnets of the instances and of an internal load balancer, one a zone
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    pub private_subnets: Vec<String>,
    /// Subnets of an internet-facing load balancer, one a zone
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    pub public_subnets: Vec<String>,
    /// Whether the load balancer is reached from the Internet [default: internal]
    #[arg(long, value_name = "SCHEME", value_parser = ["internal", "internet-facing"])]
    pub scheme: Option<String>,
    /// Who may reach the load balancer [default: everybody]
    #[arg(long, value_name = "CIDR,CIDR", value_delimiter = ',')]
    pub ingress_cidrs: Vec<String>,
    /// An internet-facing load balancer may be open to everybody: the API has no authentication
    #[arg(long)]
    pub allow_public: bool,
    /// The protocol of the load balancer [default: https]
    #[arg(long, value_name = "PROTOCOL", value_parser = ["https", "http"])]
    pub listener: Option<String>,
    /// ARN of the certificate [default: at each run the ISSUED one that covers the record's name]
    #[arg(long, value_name = "ARN")]
    pub certificate: Option<String>,
    /// Name or id of the record's hosted zone
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// The record's name within its zone [default: app]
    #[arg(long, value_name = "NAME")]
    pub record: Option<String>,
    /// Make no record: it is kept elsewhere
    #[arg(long, conflicts_with_all = ["zone", "record"])]
    pub no_record: bool,
    /// The name that clients use, whose record is kept elsewhere
    #[arg(long, value_name = "NAME", conflicts_with_all = ["zone", "record"])]
    pub name: Option<String>,
    /// The image: an AMI's name or id, ssm:/path or product:CODE [default: api-instant]
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Name of the stack [default: oz-liveness]
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// Put before the name of everything that is made: for a second stack in one account
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// Write the example, without a look at the account
    #[arg(long)]
    pub example: bool,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// How long the look at the account may take
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub timeout: Duration,
}

/// `deploy schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what
    #[arg(long, value_enum, default_value_t = Described::Config)]
    pub of: Described,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Described {
    /// deploy.yaml
    Config,
    /// What every verb prints for programs
    Result,
    /// A line of what `--progress json` writes to stderr
    Progress,
}
