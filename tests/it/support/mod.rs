//! What the tests are made with.

mod aws;
mod binary;
mod compared;
mod disturbed;
mod ended;
mod golden;
mod loopback;
mod network;
mod nouns;
mod other_client;
mod permissions;
mod program;
mod python;
mod schema;
mod server;
mod stage;
mod terraform;
mod tls;

pub use aws::Aws;
pub use binary::{Home, Run};
pub use compared::{add_things_of_others, count_by_kind, fast_timers, settled, things_of_others};
pub use disturbed::{Disturbance, run_disturbed};
pub use ended::Ended;
pub use golden::golden;
pub use loopback::LoopbackService;
pub use network::{BALANCER, ELSEWHERE, Network, RECORD, inside, proxy_at};
pub use other_client::{DOCUMENT, OtherClient, POLICY_ARN, TRUST_OF_LAMBDA, VPC};
pub use permissions::{actions, policy, without};
pub use program::*;
pub use python::{KEYS, bench_script, left_out_offline, script};
pub use schema::valid_line;
pub use server::AwsServer;
pub use stage::Stage;
pub use terraform::{PLUGINS, left_out};
pub use tls::end_tls;
