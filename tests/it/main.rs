//! One test binary.

mod boto3;
mod cli;
mod drift;
mod engine;
mod foreign;
mod lifecycle;
mod python;
mod stage;
mod tidy;
