"""Measures `deploy` and its peer against the sandbox, each call delayed by the same time. See `run`."""
import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from floor import rounds
from proxy import Proxy

HERE = Path(__file__).parent
# AWS's own minutes are none of the programs': they pass at once, and what is left is calls.
PACE = "1000"
CALM = [
    f"{name}_seconds=0"
    for name in ("provisioning", "launch", "boot", "linger", "termination", "unused")
]
PHASES = {"create": "up", "no-op": "up", "teardown": "down"}
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


def environment(world):
    unwanted = ("AWS_", "HTTP_PROXY", "http_proxy", "OZ_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**kept, **KEYS, "DEPLOY_SANDBOX_WORLD": str(world)}


def peak_mib(process):
    """The most memory that a process has had so far; Linux alone tells it (proc_pid_status(5))."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


def timed(line, proxy, **more):
    """Runs a program to its end: seconds, seconds before its first call, the calls, MiB at most."""
    proxy.take()
    began = time.monotonic()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_mib(process))
        time.sleep(0.005)
    seconds = time.monotonic() - began
    said = process.stderr.read().decode()
    if process.returncode != 0:
        sys.exit(f"{line} ended with {process.returncode}:\n{said}")
    calls = proxy.take()
    return {"seconds": seconds, "start": calls[0].began - began, "calls": calls, "mib": peak}


def life(program, directory, delay, of_peer):
    """Create, no-op and teardown on a fresh sandbox."""
    world = directory / f"world-{time.monotonic_ns()}.json"
    env = environment(world)
    config = directory / "deploy.yaml"
    config.write_bytes(subprocess.run([program, "sandbox", "config"], check=True, env=env, capture_output=True).stdout)
    subprocess.run([program, "sandbox", "weather", *CALM], check=True, env=env, capture_output=True)
    serve = [program, "sandbox", "serve", "--pace", PACE]
    server = subprocess.Popen(serve, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().decode().split("AWS_ENDPOINT_URL=")[1].split()[0]
        proxy = Proxy(url, delay)
        script = [sys.executable, HERE / "peer.py", proxy.url, config]
        deploy = {"up": ["up", "--no-verify"], "down": ["teardown", "--yes"]}
        env["AWS_ENDPOINT_URL"] = proxy.url
        line = lambda verb: [*script, verb] if of_peer else [program, "--config", config, *deploy[verb]]
        return {phase: timed(line(verb), proxy, env=env) for phase, verb in PHASES.items()}, config.read_text()
    finally:
        server.terminate()
        server.wait()


def middle(runs, phase, key):
    return statistics.median(run[phase][key] for run in runs)


def row(phase, who, seconds, start, calls, mib, floor, peer):
    start, mib = (f"{start:.2f}" if start else ""), (f"{mib:.0f}" if mib else "")
    against = f"{seconds / peer:.2f}"
    print(f"| {phase} | {who} | {seconds:.2f} | {start} | {calls} | {mib} | {seconds / floor:.1f} | {against} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=lambda path: Path(path).resolve())
    parser.add_argument("--rounds", type=int, default=3, help="how often; the table has the medians")
    parser.add_argument("--delay-ms", type=float, default=50, help="added to each call")
    asked = parser.parse_args()
    delay = asked.delay_ms / 1000
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(asked.rounds):
            run, config = life(asked.program, Path(directory), delay, False)
            ours.append(run)
            theirs.append(life(asked.program, Path(directory), delay, True)[0])
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()} {platform.machine()}"
    build = "a debug build" if "debug" in asked.program.parts else "a release build"
    print(f"{datetime.date.today()}, {machine}, {build}, {asked.delay_ms:g} ms added to each call, "
          f"medians of {asked.rounds}.\n")
    print("| | | seconds | before the first call | calls | peak MiB | × floor | × boto3 script |")
    print("|---|---|---|---|---|---|---|---|")
    for phase in PHASES:
        # The shorter of both: neither program has to make the other one's detours.
        least = min(rounds(run[phase]["calls"], config) for run in ours + theirs)
        floor, peer = least * delay, middle(theirs, phase, "seconds")
        row(phase, f"floor: {least} rounds", floor, None, "", None, floor, peer)
        for who, runs in (("`deploy`", ours), ("boto3 script", theirs)):
            calls = round(statistics.median(len(run[phase]["calls"]) for run in runs))
            seconds, start, mib = (middle(runs, phase, key) for key in ("seconds", "start", "mib"))
            row(phase, who, seconds, start, calls, mib, floor, peer)


main()
