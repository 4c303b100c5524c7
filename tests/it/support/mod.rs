//! What the tests are made with.

mod compared;
mod disturbed;
mod golden;
mod loopback;
mod moto;
mod other_client;
mod program;
mod python;
mod served;
mod stage;

pub use compared::{add_things_of_others, count_by_kind, fast_timers, settled, things_of_others};
pub use disturbed::{Disturbance, run_disturbed};
pub use golden::golden;
pub use loopback::{LoopbackService, Run};
pub use moto::Moto;
pub use other_client::{plain_record, record_of_others};
pub use program::*;
pub use python::{KEYS, script};
pub use served::Served;
pub use stage::{Stage, rows, words};
