//! The first reading of the site and of what exists: again while AWS is not ready, and not for long.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::Session;
use crate::clock::{Attempt, Ended, Label, Late, Wait};
use crate::cloud::{Error, Memo, retryable};
use crate::engine::{self, AnyLive, Context, Goal, Key, Output, Outputs, Reading};
use crate::outcome::{Outcome, Problem};
use crate::site::{Kept, MachineImage, Site, SiteError};
use crate::steps::load_balancer::{self, Listener};
use crate::steps::{STACK, dns_record, launch_template};

/// How long the first reading may take: when AWS answers, it takes a second.
pub const FIRST_READING: Duration = Duration::from_mins(5);

/// The certificate that the stack shows.
const SHOWN: Output = Listener::<443>::CERTIFICATE;

/// What a reading found of each resource, before any of it is judged.
pub type Found = BTreeMap<Key, engine::Result<Option<AnyLive>>>;

impl Session<'_> {
    /// Looks the site up and reads the stack, side by side; where AWS's answer is retryable, again. `memo`: what the
    /// first look shares with others.
    ///
    /// # Errors
    /// The time of a first reading is over, or a signal asked to stop: reads in flight are dropped.
    pub async fn first_reading(
        &self,
        goal: Goal,
        wait: &Wait<'_>,
        memo: Rc<Memo>,
    ) -> Result<(Result<Site, SiteError>, Found), Ended> {
        let wait = wait.at_most(FIRST_READING);
        let label = Label::new("aws", self.cloud.region.clone());
        let (mut last, mut memo, quiet) = (None, Some(memo), wait.quiet());
        let read = quiet.until(&label, async || {
            last = None;
            // On the heap: all the finds side by side are deeply nested.
            let reading =
                saying_when_slow(&wait, &label, Box::pin(self.read_once(goal, memo.take().unwrap_or_default())));
            let late = |ended| Late { ended, why: String::new() };
            let (site, found) = wait.within(reading).await.map_err(late)?;
            if may_pass(&site, &found) {
                last = Some((site, found));
                return Ok::<_, Late>(Attempt::Again("AWS is not ready".to_owned()));
            }
            Ok(Attempt::Done((site, found)))
        });
        let read = read.await;
        read.or_else(|late| last.ok_or(late.ended))
    }

    async fn read_once(&self, goal: Goal, memo: Rc<Memo>) -> (Result<Site, SiteError>, Found) {
        let blank = Site::blank(self.config.clone(), &self.cloud.region);
        let cx = Context::reading(&self.cloud, &blank);
        let (config, reading) = (self.config.clone(), Reading::sharing(STACK, goal, memo));
        match goal {
            Goal::Present => {
                let site = Site::look_up(config, &self.cloud, &reading.memo);
                let (site, found) = tokio::join!(site, reading.all(STACK, &cx));
                (site.map_err(SiteError::from).and_then(|site| as_it_exists(site, &found)), found)
            }
            Goal::Absent => {
                let site = Site::look_up_for_teardown(config, &self.cloud, &reading.memo);
                let (site, found) = tokio::join!(site, reading.all(STACK, &cx));
                let unseen_records = dns_record::unseen(&reading.memo);
                (site.map(|site| Site { unseen_records, ..site }).map_err(SiteError::from), found)
            }
        }
    }
}

/// A site whose certificate is the one that the listener has, where that would do; and whose image and certificate are
/// those of the stack, where the ones that deploy.yaml means are not there any more; without a zone that is gone.
fn as_it_exists(mut site: Site, found: &Found) -> Result<Site, SiteError> {
    let live = found.values().filter_map(|one| one.as_ref().ok()?.as_ref());
    let ids: Outputs = live.flat_map(|live| live.outputs.clone()).collect();
    let shown = ids.get(&SHOWN).map(String::as_str);
    shown.iter().for_each(|arn| site.keep_certificate(arn));
    let image = ids.get(&launch_template::IMAGE).zip(ids.get(&launch_template::ROOT_DEVICE));
    let image = image.map(|(id, device)| MachineImage {
        id: id.clone(),
        root_device: device.clone(),
        ..MachineImage::default()
    });
    site.with_gone_from(Kept { image, certificate: shown, stands: ids.contains_key(&load_balancer::ARN) })
}

/// Whether something failed, and only for reasons that may pass. An endpoint that does not answer at first may never
/// have: a wrong one, or no way out.
fn may_pass(site: &Result<Site, SiteError>, found: &Found) -> bool {
    let of_site = match site {
        Err(SiteError::Cloud(error)) => Some(passes(error)),
        _ => None,
    };
    let of_stack = found.values().filter_map(|one| one.as_ref().err()).map(|error| match error {
        engine::Error::DependencyNotRead(_) => true,
        error => error.cloud().is_some_and(passes),
    });
    let all: Vec<bool> = of_site.into_iter().chain(of_stack).collect();
    !all.is_empty() && all.iter().all(|passes| *passes)
}

fn passes(error: &Error) -> bool {
    retryable(error).is_some() && !error.is_outage()
}

/// What the reading gives; when that takes long, this is said.
async fn saying_when_slow<T>(wait: &Wait<'_>, label: &Label, reading: impl Future<Output = T> + Unpin) -> T {
    match select(reading, Box::pin(wait.longest_pause())).await {
        Either::Left((done, _)) => done,
        Either::Right((paused, reading)) => {
            if paused.is_ok() {
                (wait.watch)(label.waiting("not every call is answered yet; still trying"));
            }
            reading.await
        }
    }
}

/// A first reading that did not come to its end.
pub fn unanswered(ended: Ended) -> Outcome {
    match ended {
        Ended::Cancelled(_) => Outcome::ended(ended, "interrupted; nothing was changed"),
        Ended::TimedOut => {
            let summary = "the time of a first look is over; nothing was changed";
            Outcome::ended(ended, summary).problem(Problem::new(
                "AWS did not answer in time",
                "Look at the network, HTTPS_PROXY and NO_PROXY, and AWS_ENDPOINT_URL; -v shows each attempt.",
            ))
        }
    }
}
