//! One test binary.

mod bench;
mod boto3;
mod cli;
mod client;
mod config;
mod diagnose;
mod drift;
mod engine;
mod errors;
mod foreign;
mod guarded;
mod killed;
mod lifecycle;
mod oz_service;
mod python;
mod removal;
mod reports;
mod rollout;
mod served;
mod simulation;
mod stage;
mod storms;
mod tidy;
mod together;
mod verify;
mod waits;
