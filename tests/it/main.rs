//! One test binary.

mod boto3;
mod cli;
mod client;
mod config;
mod drift;
mod engine;
mod foreign;
mod lifecycle;
mod python;
mod reports;
mod simulation;
mod stage;
mod tidy;
mod verify;
