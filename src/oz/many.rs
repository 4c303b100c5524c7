//! Many calls with one capture, so many of them at once: for sizing, and to see a group scale out.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::service::Failure;
use super::{Packed, Service};
use crate::clock::{Cancel, Clock, Label, Wait};
use crate::outcome::{CallEnd, Load, Tally};

/// How often it is said how far it is, at most.
const TELLS: Duration = Duration::from_secs(1);

/// How many calls are made.
#[derive(Debug, Clone, Copy)]
pub struct Many {
    /// No more than these; each is metered.
    pub calls: usize,
    /// So many under way at once.
    pub concurrency: usize,
    /// None begins later than so long after the first.
    pub span: Option<Duration>,
    /// How long one may take.
    pub timeout: Duration,
}

impl Many {
    /// Makes them, and measures. A signal begins no more of them; those under way may finish, since they are metered
    /// already. With it the words of the first failure of each kind.
    pub async fn measure(
        &self,
        service: &Service,
        packed: &Packed,
        wait: &Wait<'_>,
    ) -> (Load, BTreeMap<String, String>) {
        let (start, label) = (Instant::now(), Label::new("liveness", service.place()));
        let call = async || {
            let (start, never) = (Instant::now(), Cancel::never());
            let wait = Wait { clock: Clock::new(self.timeout, 1.0), cancel: &never, watch: &|_| {} };
            let ended = match service.liveness_of(packed, &wait).await {
                Err(ended) => CallEnd::Failed("timeout".to_owned(), ended.to_string()),
                Ok(answered) => match (answered.verdict.decision, answered.failure) {
                    (Some(decision), _) => CallEnd::Decided(decision),
                    (None, failure) => {
                        let kind = failure.map_or_else(|| "undecided".to_owned(), Failure::word);
                        CallEnd::Failed(kind, answered.verdict.why)
                    }
                },
            };
            (ended, start.elapsed())
        };
        let is_over = || wait.cancel.signal().is_some() || self.span.is_some_and(|span| start.elapsed() >= span);
        let (mut begun, mut tally, mut under_way) = (0, Tally::of(self.calls), FuturesUnordered::new());
        let mut told = Duration::ZERO;
        loop {
            while begun < self.calls && under_way.len() < self.concurrency && !is_over() {
                under_way.push(call());
                begun += 1;
            }
            let in_flight = under_way.len();
            let Some((ended, took)) = under_way.next().await else { break };
            tally.note(ended, took, in_flight);
            // Once a second, and of a long run less often: a pipeline keeps every line.
            let passed = start.elapsed();
            if passed.saturating_sub(told) >= TELLS.max(passed / 20) {
                told = passed;
                (wait.watch)(label.waiting(tally.so_far()));
            }
        }
        tally.finish(start.elapsed())
    }
}
