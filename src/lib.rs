//! `deploy` creates, converges, proves and removes the AWS stack of Oz Liveness. src/README.md has the map of the code.

pub mod cli;
pub mod cloud;
pub mod commands;
pub mod config;
pub mod diagnose;
pub mod engine;
pub mod exit;
pub mod explain;
pub mod names;
pub mod oz;
pub mod report;
pub mod sandbox;
pub mod site;
pub mod steps;
pub mod verify;
