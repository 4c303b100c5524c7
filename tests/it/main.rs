//! One test binary.
#![allow(clippy::needless_raw_string_hashes, reason = "expect_test writes them")]
#![allow(clippy::redundant_closure_for_method_calls, reason = "`|aws| aws.delete_record()` reads as what is done")]

mod account;
mod answers;
mod boto3;
mod certificates;
mod cli;
mod client;
mod config;
mod diagnose;
mod drift;
mod ends;
mod engine;
mod errors;
mod every_resource;
mod files;
mod fleet;
mod foreign;
mod gone;
mod guarded;
mod image;
mod killed;
mod lifecycle;
mod network;
mod oz_service;
mod papers;
mod preflight;
mod readers;
mod removal;
mod reports;
mod retryable;
mod rollout;
mod sandbox_protocol;
mod sandbox_services;
mod simulation;
mod storms;
mod strays;
mod support;
mod terminal;
mod terraform;
mod tidy;
mod together;
mod unmanaged;
mod verify;
mod waits;
