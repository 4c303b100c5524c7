//! What goes wrong on the way: calls that are refused, cut, hang or come late, one by one for a test, or at random by
//! the weather.

use std::sync::Mutex;
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::Notify;

use super::{Sandbox, dispatch, lock, wire};
use crate::clock::elapse;

/// Longer than the SDK waits for one answer.
const LATE: Duration = Duration::from_secs(45);

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is denied, without effect. The next attempt is not.
    Refuse,
    /// The service fails this once, without effect.
    Fail,
    /// It has its effect, and the service says that it failed.
    FailAfter,
    /// The service asks to slow down.
    Throttle,
    /// The connection is cut on the way there.
    CutBefore,
    /// It has its effect, and the connection is cut on the way back: the answer is lost.
    Lose,
    /// It never arrives, and no answer ever comes.
    Hang,
    /// It has its effect, and no answer ever comes.
    HangAfter,
    /// It has its effect, and the answer comes too late; to the next attempt too.
    Slow,
}

impl Fault {
    /// Every kind; the first is nobody's weather.
    pub const ALL: [Fault; 9] = [
        Fault::Refuse,
        Fault::Fail,
        Fault::FailAfter,
        Fault::Throttle,
        Fault::CutBefore,
        Fault::Lose,
        Fault::Hang,
        Fault::HangAfter,
        Fault::Slow,
    ];
}

/// The connection was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

/// Which calls are disturbed.
#[derive(Debug, Default)]
pub struct Faults {
    next: Mutex<Option<(usize, Fault)>>,
    /// The next attempt is answered late too.
    late: Mutex<bool>,
    injected: Notify,
    random: Mutex<Random>,
}

/// Numbers that are the same for the same seed.
#[derive(Debug)]
struct Random(fastrand::Rng);

impl Default for Random {
    fn default() -> Random {
        Random(fastrand::Rng::with_seed(0))
    }
}

impl Faults {
    /// From 0 to 1.
    pub fn random(&self) -> f64 {
        lock(&self.random).0.f64()
    }
}

impl Sandbox {
    /// Disturbs one call: the one that comes after this many others.
    pub fn disturb(&self, after: usize, fault: Fault) {
        *lock(&self.inner.faults.next) = Some((after, fault));
    }

    /// Ends the wait for a disturbance; whether it came.
    pub fn clear_fault(&self) -> bool {
        lock(&self.inner.faults.next).take().is_none()
    }

    /// Returns when a call begins to hang.
    pub async fn hangs(&self) {
        self.inner.faults.injected.notified().await;
    }

    /// What the weather does at random is the same for the same seed.
    pub fn seed(&self, seed: u64) {
        lock(&self.inner.faults.random).0.seed(seed);
    }

    /// Answers one call, unless something goes wrong with it.
    ///
    /// # Errors
    /// The connection is cut.
    pub async fn answer_with_faults(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Cut> {
        if self.is_cut_off(request) {
            return Err(Cut);
        }
        let Some(fault) = self.strike() else {
            return Ok(self.answer(request));
        };
        match fault {
            Fault::Refuse => Ok(dispatch::refused(request, "AccessDenied", 403)),
            Fault::Fail => Ok(dispatch::refused(request, "InternalFailure", 500)),
            Fault::Throttle => Ok(dispatch::throttled(request)),
            Fault::CutBefore => Err(Cut),
            Fault::Hang => self.hang().await,
            Fault::FailAfter => {
                self.answer(request);
                Ok(dispatch::refused(request, "InternalFailure", 500))
            }
            Fault::Lose => {
                self.answer(request);
                Err(Cut)
            }
            Fault::HangAfter => {
                self.answer(request);
                self.hang().await
            }
            Fault::Slow => {
                let answer = self.answer(request);
                elapse(LATE).await;
                Ok(answer)
            }
        }
    }

    /// Whether there is no way to the region or the service of this call.
    fn is_cut_off(&self, request: &Request<Vec<u8>>) -> bool {
        let weather = &lock(&self.inner.world).weather;
        let is_among = |all: &[String], part: fn(&Request<Vec<u8>>) -> Option<String>| {
            !all.is_empty() && part(request).is_some_and(|name| all.contains(&name))
        };
        is_among(&weather.no_way_to, wire::region) || is_among(&weather.no_way_to_services, wire::service)
    }

    /// What goes wrong with the call that arrives now.
    fn strike(&self) -> Option<Fault> {
        let faults = &self.inner.faults;
        if std::mem::take(&mut *lock(&faults.late)) {
            return Some(Fault::Slow);
        }
        let mut next = lock(&faults.next);
        let planned = match next.as_mut() {
            Some((0, _)) => next.take().map(|(_, fault)| fault),
            Some((after, _)) => {
                *after -= 1;
                None
            }
            None => None,
        };
        let (outage, rate) = {
            let weather = &lock(&self.inner.world).weather;
            (weather.outage, weather.fault_rate)
        };
        if outage {
            return Some(Fault::CutBefore);
        }
        let mut random = lock(&faults.random);
        let injected = planned
            .or_else(|| (rate > 0.0 && random.0.f64() < rate).then(|| Fault::ALL[random.0.usize(1..Fault::ALL.len())]));
        *lock(&faults.late) = injected == Some(Fault::Slow);
        injected
    }

    async fn hang<T>(&self) -> T {
        self.inner.faults.injected.notify_one();
        std::future::pending().await
    }
}
