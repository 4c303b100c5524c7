//! Times as people read them.

use std::time::Duration;

/// How long something took: `0.4s`, `42s`, `12m31s`, `1h02m`.
pub fn took(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{whole}s"),
        60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3600, whole / 60 % 60),
    }
}

/// How long something lasts already, in whole seconds: `3s`, `12m31s`, `1h02m`.
pub fn so_far(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 10 { format!("{seconds}s") } else { took(seconds as f64) }
}

/// How long ago something was, as roughly as people say it: `90s`, `12m`, `5h`, `3d`.
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7_200 => format!("{}m", seconds / 60),
        seconds @ 7_200..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_short_as_they_can_be() {
        let told = [0.04, 9.4, 42.0, 751.4, 3725.0].map(took);
        assert_eq!(told, ["0.0s", "9.4s", "42s", "12m31s", "1h02m"]);
        let told = [0, 9, 59, 60, 3600].map(|seconds| so_far(Duration::from_secs(seconds)));
        assert_eq!(told, ["0s", "9s", "59s", "1m00s", "1h00m"]);
        let told = [-5, 119, 120, 7_199, 7_200, 172_799, 172_800].map(age);
        assert_eq!(told, ["0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
    }
}
