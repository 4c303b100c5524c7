//! What `export` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `deploy export`
#[derive(Debug, Args)]
pub struct Export {
    /// In whose language
    pub language: Language,
    /// Write files into this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write over files of these names
    #[arg(long)]
    pub force: bool,
}

/// Whose language code is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Terraform 1.5 or later, with import blocks: main.tf
    Terraform,
    /// CloudFormation: template.json, and resources-to-import.json for the change set that imports it
    Cloudformation,
}
