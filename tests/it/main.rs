//! One test binary.

mod boto3;
mod cli;
mod client;
mod config;
mod diagnose;
mod drift;
mod engine;
mod errors;
mod every_resource;
mod foreign;
mod guarded;
mod killed;
mod lifecycle;
mod oz_service;
mod papers;
mod removal;
mod reports;
mod retryable;
mod rollout;
mod simulation;
mod storms;
mod support;
mod tidy;
mod together;
mod verify;
mod waits;
