//! How long AWS usually takes, told beside what is waited for: nobody is to take an ordinary wait for a hang.

use std::time::Duration;

/// What takes minutes on AWS.
#[derive(Debug, PartialEq, Eq)]
pub struct Usual {
    /// The resource's key, or another noun of what is waited for.
    pub resource: &'static str,
    /// What is done with it: the verb of its events; empty: it is only waited for.
    pub verb: &'static str,
    /// In minutes, from the least to the most. Estimates: nobody has measured them with this program.
    pub minutes: (u64, u64),
}

/// The only list of such times. README's table of them is compared with it; a quicker step has no row.
pub const USUAL: [Usual; 4] = [
    // A load balancer is active after 2 to 3 minutes (the AWS CLI's waiter asks 40 times, every 15 s). Meanwhile the
    // instances start, in 1 to 2. Then health checks take 1 to 3: five that pass, 30 s apart (ELBv2 user guide,
    // "Health checks for your target groups").
    Usual { resource: "target_health", verb: "", minutes: (3, 6) },
    // Each new instance starts, gets healthy and warms up; each old one is deregistered, up to 300 s (Auto Scaling user
    // guide, "How an instance refresh works"). Of two instances, as the vendor's guide has them.
    Usual { resource: "auto_scaling_group", verb: "roll out", minutes: (8, 12) },
    // Deregistration takes up to 300 s where requests are under way (ELBv2 user guide, "Deregistration delay"), then an
    // instance ends in 1 to 2 minutes.
    Usual { resource: "auto_scaling_group", verb: "delete", minutes: (2, 7) },
    // Its network interfaces outlive a load balancer by 1 to 5 minutes, and hold the group (as users of Terraform
    // report: it waits up to 35).
    Usual { resource: "load_balancer_security_group", verb: "delete", minutes: (1, 5) },
];

/// How often longer than the most is longer than usual.
const LATE: u32 = 2;

impl Usual {
    /// Of a resource, or another noun, with which this is done.
    pub fn of(resource: &str, verb: &str) -> Option<&'static Usual> {
        USUAL.iter().find(|one| one.resource == resource && one.verb == verb)
    }

    /// From the least to the most, where time runs so many times as fast as on AWS.
    pub fn times(&self, pace: f64) -> [Duration; 2] {
        let (least, most) = self.minutes;
        [least, most].map(|minutes| Duration::from_secs(minutes * 60).div_f64(pace))
    }

    /// `usually 3-6m`
    pub fn words(&self, pace: f64) -> String {
        let [least, most] = self.times(pace).map(|time| time.as_secs_f64());
        match most {
            120.0.. => format!("usually {:.0}-{:.0}m", least / 60.0, most / 60.0),
            _ => format!("usually {least:.0}-{most:.0}s"),
        }
    }

    /// Whether this is much longer than usual.
    pub fn is_late(&self, so_far: Duration, pace: f64) -> bool {
        so_far >= self.times(pace)[1] * LATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_usually_takes_minutes_takes_seconds_in_the_sandbox() {
        let targets = Usual::of("target_health", "").unwrap();
        assert_eq!((targets.words(1.0).as_str(), targets.words(40.0).as_str()), ("usually 3-6m", "usually 4-9s"));
        assert!(!targets.is_late(Duration::from_secs(719), 1.0) && targets.is_late(Duration::from_secs(720), 1.0));
        assert_eq!((Usual::of("target_health", "create"), Usual::of("policy", "create")), (None, None));
    }
}
