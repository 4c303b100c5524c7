//! One test binary.

mod boto3;
mod cli;
mod config;
mod drift;
mod engine;
mod foreign;
mod lifecycle;
mod python;
mod simulation;
mod stage;
mod tidy;
