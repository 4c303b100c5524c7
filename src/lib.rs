//! `deploy` creates, converges, proves and removes the AWS stack of Oz Liveness. src/README.md has the map of the code.

pub mod checks;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod commands;
pub mod config;
pub mod engine;
pub mod event;
pub mod exit;
pub mod flags;
pub mod outcome;
pub mod oz;
pub mod report;
pub mod resolver;
pub mod rollout;
pub mod sandbox;
pub mod site;
pub mod steps;
