//! What `graph` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `deploy graph`
#[derive(Debug, Args)]
pub struct Graph {
    /// For which program the picture is
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub format: Picture,
    /// Draw what stands, with AWS's ids and health: reads only
    #[arg(long)]
    pub live: bool,
    /// Write it into this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Who draws the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// GitHub, GitLab and most wikis, in a code block
    Mermaid,
    /// Graphviz
    Dot,
    /// Nobody: it is an image that every browser shows
    Svg,
}
