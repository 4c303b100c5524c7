//! The files that a command line names: what is read is never written over.

use std::path::{Path, PathBuf};

use super::{Cli, Verb};
use crate::oz::Refused;

impl Cli {
    /// Refuses to write over a file that this run reads: deploy.yaml, a face, a token, a saved plan.
    pub fn written_over(&self, config: &Path) -> Option<Refused> {
        let real = |path: &Path| path.canonicalize().ok();
        let read: Vec<PathBuf> = self.reads().filter_map(|path| real(path)).chain(real(config)).collect();
        let over = self.writes().find(|path| real(path).is_some_and(|path| read.contains(&path)))?;
        let what = format!("{}: it is a file that this run reads, and would be replaced", over.display());
        Some(Refused::new(what, "Name another file."))
    }

    fn reads(&self) -> impl Iterator<Item = &PathBuf> {
        let named = match &self.verb {
            Verb::Up(args) => vec![&args.plan],
            Verb::Verify(args) => {
                let (service, more) = (&args.service, &args.overrides);
                let own = [&args.capture, &args.reference, &more.meta, &more.additional_info];
                own.into_iter().chain([&service.token_file, &service.ca_file]).collect()
            }
            Verb::Liveness(args) => {
                let (service, more) = (&args.service, &args.overrides);
                vec![&more.meta, &more.additional_info, &service.token_file, &service.ca_file]
            }
            Verb::Biometry(args) => vec![&args.meta, &args.service.token_file, &args.service.ca_file],
            _ => Vec::new(),
        };
        let required = match &self.verb {
            Verb::Liveness(args) => vec![&args.capture],
            Verb::Biometry(args) => vec![&args.best_shot, &args.reference],
            _ => Vec::new(),
        };
        named.into_iter().flatten().chain(required)
    }

    fn writes(&self) -> impl Iterator<Item = &PathBuf> {
        let named = match &self.verb {
            Verb::Plan(args) => vec![&args.save],
            Verb::Graph(args) => vec![&args.output],
            _ => Vec::new(),
        };
        let reports = self.verb.written().map(|written| [&written.junit, &written.html, &written.summary]);
        let named = named.into_iter().chain(reports.into_iter().flatten()).chain([&self.global.trace]).flatten();
        let required = match &self.verb {
            Verb::Bundle(args) => vec![&args.file],
            _ => Vec::new(),
        };
        named.chain(required)
    }
}
