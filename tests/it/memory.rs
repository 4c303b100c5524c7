//! What a capture costs in memory, in the program itself.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::{Answer, LoopbackService, Run};

const MIB: u64 = 1 << 20;

/// The most memory that a process has had so far, in bytes (proc_pid_status(5): VmHWM).
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The same of a run whose calls have been sent, all of them at once, and have no answer yet.
fn peak_of(service: &LoopbackService, capture: &str, calls: usize) -> u64 {
    let before = service.calls();
    let line = format!("liveness {capture} --base-url URL --repeat {calls} --concurrency {calls}");
    let child = service.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while service.calls() < before + calls {
        std::thread::sleep(Duration::from_millis(10));
    }
    let peak = peak(&child);
    Run::end_of(child).exits(0);
    peak
}

/// So many frames of 200,000 bytes; the bytes written.
fn frames(service: &LoopbackService, directory: &str, count: usize) -> u64 {
    std::fs::create_dir(service.path(directory)).unwrap();
    let frame: Vec<u8> = [0xff, 0xd8, 0xff, 0xe0].into_iter().chain((0..199_996u32).map(|at| at as u8)).collect();
    for number in 1..=count {
        service.write(&format!("{directory}/{number}.jpg"), &frame);
    }
    (count * frame.len()) as u64
}

#[test]
fn frames_are_in_memory_once_however_many_calls_send_them() {
    let service = LoopbackService::new();
    service.script(|script| script.liveness = Answer::Slow(Duration::from_secs(1)));
    frames(&service, "few", 1);
    let size = frames(&service, "many", 100);
    let least = peak_of(&service, "few", 1);
    let once = peak_of(&service, "many", 1) - least;
    assert!(once < size + size / 4, "{} MiB for {} MiB of frames", once / MIB, size / MIB);
    let shared = peak_of(&service, "many", 4) - least;
    assert!(shared < size + size / 2, "{} MiB for 4 calls at once with {} MiB of frames", shared / MIB, size / MIB);
}
