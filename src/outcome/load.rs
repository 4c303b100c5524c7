//! What many calls of the service came to: how many of each kind, and how long they took.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Decision;

/// Many calls, measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Load {
    /// How many calls were to be made, at most.
    pub planned: usize,
    /// How many were made; each is metered.
    pub calls: usize,
    /// How many were under way at once, at most.
    pub most_in_flight: usize,
    /// Decisions that were positive.
    pub accepted: usize,
    /// Decisions that were negative.
    pub declined: usize,
    /// Calls that a person has to decide.
    pub operator_required: usize,
    /// Calls that came to no decision.
    pub failed: usize,
    /// Those by their kind: `unreached`, `tls`, `no_answer`, `timeout`, `http_503`, `not_json`, `undecided`.
    pub failed_by_kind: BTreeMap<String, usize>,
    /// Seconds from the first call to the end of the last one.
    pub seconds: f64,
    /// Calls in a second, those that failed too; null when none was made.
    pub calls_per_second: Option<f64>,
    /// How long the calls with a decision took; what failed may have failed soon.
    pub duration_ms: Durations,
    /// The same in classes of equal width; the last one holds everything above.
    pub histogram: Vec<Class>,
}

/// Milliseconds; null where no call came to a decision. Percentiles are durations that occurred (nearest rank).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
pub struct Durations {
    /// The shortest.
    pub min: Option<f64>,
    /// Half of the calls took no longer.
    pub p50: Option<f64>,
    /// 95 of a hundred took no longer.
    pub p95: Option<f64>,
    /// 99 of a hundred took no longer.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

/// How many calls took so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Class {
    /// Milliseconds, itself included.
    pub from_ms: f64,
    /// Milliseconds, itself not; of the last class the longest duration.
    pub to_ms: f64,
    /// How many.
    pub calls: usize,
}

/// How one call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    /// With the service's decision.
    Decided(Decision),
    /// Without one: its kind, and why in words.
    Failed(String, String),
}

/// Calls as they end.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    load: Load,
    durations: Vec<Duration>,
    /// Of each kind of failure, the words of its first call.
    words: BTreeMap<String, String>,
}

impl Tally {
    /// No call yet, of so many.
    pub fn of(planned: usize) -> Tally {
        Tally { load: Load { planned, ..Load::default() }, ..Tally::default() }
    }

    /// A call ended after so long, when so many were under way with it.
    pub fn note(&mut self, ended: CallEnd, took: Duration, in_flight: usize) {
        let load = &mut self.load;
        load.calls += 1;
        load.most_in_flight = load.most_in_flight.max(in_flight);
        match ended {
            CallEnd::Decided(decision) => {
                self.durations.push(took);
                match decision {
                    Decision::Success => load.accepted += 1,
                    Decision::Declined => load.declined += 1,
                    Decision::OperatorRequired => load.operator_required += 1,
                }
            }
            CallEnd::Failed(kind, why) => {
                load.failed += 1;
                *load.failed_by_kind.entry(kind.clone()).or_default() += 1;
                self.words.entry(kind).or_insert(why);
            }
        }
    }

    /// How far it is, for whoever waits.
    pub fn so_far(&self) -> String {
        let Load { planned, calls, failed, .. } = self.load;
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        format!("{calls} of {planned} calls{failed}")
    }

    /// What it came to, after so long; and the words of the first failure of each kind.
    pub fn finish(self, took: Duration) -> (Load, BTreeMap<String, String>) {
        let mut took_each: Vec<u64> = self.durations.into_iter().map(tenths).collect();
        took_each.sort_unstable();
        let mut load = self.load;
        load.seconds = thousandths(took.as_secs_f64());
        load.calls_per_second =
            (load.calls > 0 && !took.is_zero()).then(|| thousandths(load.calls as f64 / took.as_secs_f64()));
        load.duration_ms = durations(&took_each);
        load.histogram = histogram(&took_each);
        (load, self.words)
    }
}

impl Load {
    /// In a line for people.
    pub fn words(&self) -> String {
        let counts = [
            (self.accepted, "accepted"),
            (self.declined, "declined"),
            (self.operator_required, "for a person to decide"),
            (self.failed, "failed"),
        ];
        let counts = counts.into_iter().filter(|(count, word)| *count > 0 || *word == "accepted");
        let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        let kinds: Vec<String> = self.failed_by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        format!("{} calls: {}{kinds}", self.calls, counts.join(", "))
    }
}

fn thousandths(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Durations are told in tenths of a millisecond.
fn tenths(time: Duration) -> u64 {
    u64::try_from((time.as_micros() + 50) / 100).unwrap_or(u64::MAX)
}

fn milliseconds(tenths: u64) -> f64 {
    tenths as f64 / 10.0
}

/// Nearest rank, of sorted durations: the smallest one that so many of a hundred do not exceed.
fn rank(sorted: &[u64], percent: usize) -> Option<u64> {
    sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied()
}

fn durations(sorted: &[u64]) -> Durations {
    let [p50, p95, p99] = [50, 95, 99].map(|percent| rank(sorted, percent).map(milliseconds));
    let [min, max] = [sorted.first(), sorted.last()].map(|end| end.copied().map(milliseconds));
    Durations { min, p50, p95, p99, max }
}

/// No more classes than these, besides that of the longest durations.
const CLASSES: u64 = 10;

/// Classes up to the 99th percentile, whose width is 1, 2 or 5 times a power of ten, and one for what is above.
fn histogram(sorted: &[u64]) -> Vec<Class> {
    let (Some(least), Some(high), Some(most)) = (sorted.first(), rank(sorted, 99), sorted.last()) else {
        return Vec::new();
    };
    let widths = (0..).flat_map(|power| [1, 2, 5].map(|factor| factor * 10u64.saturating_pow(power)));
    let fits = |width: &u64| high / width - least / width < CLASSES;
    let width = widths.into_iter().find(fits).unwrap_or(1);
    let (first, above) = (least / width, (high / width + 1) * width);
    let class =
        |from: u64, to: u64, calls: usize| Class { from_ms: milliseconds(from), to_ms: milliseconds(to), calls };
    let between = |from: u64, to: u64| sorted.iter().filter(|took| (from..to).contains(*took)).count();
    let within = (first * width..above).step_by(width as usize);
    let mut classes: Vec<Class> = within.map(|from| class(from, from + width, between(from, from + width))).collect();
    if *most >= above {
        classes.push(class(above, *most, between(above, u64::MAX)));
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(milliseconds: impl IntoIterator<Item = u64>) -> Load {
        let mut tally = Tally::of(200);
        for took in milliseconds {
            tally.note(CallEnd::Decided(Decision::Success), Duration::from_millis(took), 2);
        }
        tally.finish(Duration::from_secs(4)).0
    }

    #[test]
    fn percentiles_are_durations_that_occurred() {
        let load = measured((1..=200).rev());
        let wanted =
            Durations { min: Some(1.0), p50: Some(100.0), p95: Some(190.0), p99: Some(198.0), max: Some(200.0) };
        assert_eq!((load.duration_ms, load.calls_per_second), (wanted, Some(50.0)));
        let one = measured([7]);
        assert_eq!((one.duration_ms.min, one.duration_ms.p50, one.duration_ms.p99), (Some(7.0), Some(7.0), Some(7.0)));
        assert_eq!(measured([]).duration_ms, Durations::default());
        assert_eq!((measured([]).histogram, measured([]).calls_per_second), (vec![], None));
    }

    #[test]
    fn a_histogram_counts_each_call_once_and_one_slow_call_does_not_flatten_it() {
        let load = measured((100..199).map(|ms| ms / 2).chain(std::iter::repeat_n(60, 100)).chain([9000]));
        assert_eq!(load.histogram.iter().map(|class| class.calls).sum::<usize>(), 200);
        let (first, last) = (load.histogram[0], load.histogram[load.histogram.len() - 1]);
        assert_eq!((first.from_ms, first.to_ms, first.calls), (50.0, 55.0, 10));
        assert_eq!((last.from_ms, last.to_ms, last.calls), (100.0, 9000.0, 1));
        let alike = measured([5; 9]);
        assert_eq!(alike.histogram, [Class { from_ms: 5.0, to_ms: 5.1, calls: 9 }]);
    }

    #[test]
    fn failures_are_counted_by_kind_and_not_among_the_durations() {
        let mut tally = Tally::of(4);
        let failed = |kind: &str, why: &str| CallEnd::Failed(kind.to_owned(), why.to_owned());
        tally.note(failed("http_503", "first"), Duration::ZERO, 1);
        tally.note(failed("http_503", "second"), Duration::ZERO, 4);
        tally.note(failed("tls", "other"), Duration::ZERO, 3);
        tally.note(CallEnd::Decided(Decision::Declined), Duration::from_millis(20), 2);
        assert_eq!(tally.so_far(), "4 of 4 calls, 3 failed");
        let (load, words) = tally.finish(Duration::from_secs(1));
        assert_eq!((load.failed, load.declined, load.most_in_flight), (3, 1, 4));
        assert_eq!(
            load.failed_by_kind.into_iter().collect::<Vec<_>>(),
            [("http_503".to_owned(), 2), ("tls".to_owned(), 1)]
        );
        assert_eq!((load.duration_ms.min, words["http_503"].as_str()), (Some(20.0), "first"));
    }
}
