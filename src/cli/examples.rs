//! Examples of each verb, as its help shows them. A test runs every one of them against the sandbox.

/// A command line, and what it does.
type Example = (&'static str, &'static str);

/// The examples by verb; of no verb, those of the program.
pub const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            ("deploy --sandbox up", "try it: no account, no network, half a minute"),
            ("deploy plan", "what `up` would do with the deploy.yaml here"),
            ("deploy up", "do it, and wait until the service answers"),
            ("deploy explain scaling.max", "what a key means, and its default"),
        ],
    ),
    (
        "up",
        &[
            ("deploy up", "create or converge the stack of deploy.yaml"),
            ("deploy up --dry-run", "only show what would be done"),
            ("deploy up --set scaling.min=2 --no-wait", "another value for this run; do not wait for health"),
            ("deploy up --json", "one JSON document on stdout, for a pipeline"),
        ],
    ),
    (
        "plan",
        &[
            ("deploy plan", "what `up` would do"),
            ("deploy plan --exit-code", "for pipelines: 3 when there are changes"),
            ("deploy plan --save plan.json", "keep it, for `deploy up --plan plan.json`"),
            ("deploy plan --set scaling.max=10 --max-monthly 100000", "with another value, refused above a price"),
        ],
    ),
    (
        "preflight",
        &[
            ("deploy preflight", "network, quota, image: could the stack be made?"),
            ("deploy preflight --set instance.type=c7i-flex.2xlarge", "with another type"),
        ],
    ),
    (
        "init",
        &[
            ("deploy init --force", "write deploy.yaml from what the account has"),
            ("deploy init --config other.yaml --zone example.com --record api", "without a question, in a pipeline"),
            ("deploy init --config example.yaml --example", "the example, whatever the account has"),
        ],
    ),
    (
        "conform",
        &[
            ("deploy conform", "each setting of the vendor's guide against what stands"),
            ("deploy conform --html guide.html", "as a page"),
        ],
    ),
    ("list", &[("deploy list", "every stack of the account and region"), ("deploy list --json", "for programs")]),
    (
        "touch",
        &[("deploy touch --for 8h", "wanted for eight hours more"), ("deploy touch --never", "wanted without an end")],
    ),
    (
        "reap",
        &[
            ("deploy reap", "which stacks have expired"),
            ("deploy reap --yes --account 123456789012", "remove them, in this account alone: for a nightly job"),
        ],
    ),
    (
        "park",
        &[
            ("deploy park", "no instances until `deploy unpark`"),
            ("deploy park --timeout 5m", "wait no longer than that"),
        ],
    ),
    (
        "unpark",
        &[
            ("deploy unpark", "its sizes as they were, and wait until it answers"),
            ("deploy unpark --json", "for a pipeline"),
        ],
    ),
    (
        "iam-policy",
        &[
            ("deploy iam-policy --for up,verify,teardown", "the least-privilege policy of a pipeline"),
            ("deploy iam-policy --for verify", "of somebody who only looks"),
        ],
    ),
    (
        "schema",
        &[("deploy schema", "for editors: put it into deploy.schema.json"), ("deploy schema --of config", "the same")],
    ),
    (
        "status",
        &[
            ("deploy status", "is it up, on what, and does it differ"),
            ("deploy status --ids", "with each resource's id"),
            ("deploy status --exit-code", "for pipelines: 6 when it is not up, 3 when it differs"),
        ],
    ),
    (
        "graph",
        &[
            ("deploy graph", "what the stack consists of and what depends on what, for GitHub and wikis"),
            ("deploy graph --live --format svg --output stack.svg", "what stands, with ids and health, as an image"),
            ("deploy graph --format dot", "for Graphviz"),
        ],
    ),
    (
        "export",
        &[
            ("deploy export terraform", "the live stack in Terraform's language, with import blocks"),
            ("deploy export terraform --output infra", "as a file: infra/main.tf"),
            ("deploy export cloudformation --output infra", "a template, and what its change set imports"),
        ],
    ),
    (
        "verify",
        &[
            ("deploy verify", "does it work?"),
            ("deploy verify --wait 10m", "wait longer for targets that start"),
            ("deploy verify --junit checks.xml --html checks.html", "with reports"),
            ("deploy verify --capture capture.json --reference reference.jpg", "with two metered calls"),
        ],
    ),
    (
        "diagnose",
        &[
            ("deploy diagnose", "the most likely cause of what is wrong"),
            ("deploy diagnose --json", "the same for programs"),
        ],
    ),
    (
        "bundle",
        &[
            ("deploy bundle support.zip", "for the vendor's support; account, addresses and names are masked"),
            ("deploy bundle support.zip --no-redact --force", "with all of them, over the one before"),
        ],
    ),
    (
        "teardown",
        &[
            ("deploy teardown --dry-run", "what would be removed"),
            ("deploy teardown --yes", "remove it without a question"),
            ("deploy teardown --yes --lift-protection", "although something protects it"),
        ],
    ),
    (
        "liveness",
        &[
            ("deploy liveness capture.json", "is this a living person?"),
            ("deploy liveness capture.json --best-shot best.jpg --force", "keep the best shot"),
            ("deploy liveness capture.json --repeat 40 --concurrency 4 --yes", "for sizing: forty calls"),
        ],
    ),
    (
        "biometry",
        &[
            ("deploy biometry --best-shot best.jpg --reference reference.jpg", "the same person?"),
            (
                "deploy biometry --best-shot best.jpg --reference reference.jpg --min-confidence 0.9",
                "stricter than the service",
            ),
        ],
    ),
    (
        "sandbox",
        &[
            ("deploy sandbox config", "a deploy.yaml that fits it"),
            ("deploy sandbox weather", "what it does to its users"),
            ("deploy sandbox sample --force", "a capture and a photo to try liveness and biometry with"),
        ],
    ),
    (
        "sandbox weather",
        &[
            ("deploy sandbox weather", "every switch, its value and its meaning"),
            ("deploy sandbox weather boot_seconds=90 fault_rate=0.05", "slow instances, and calls that fail"),
            ("deploy sandbox weather boot_seconds=30 fault_rate=0", "calm again"),
        ],
    ),
    (
        "explain",
        &[
            ("deploy explain scaling.max", "a key of deploy.yaml"),
            ("deploy explain 8", "an exit code"),
            ("deploy explain targets", "a check of verify"),
            ("deploy explain UnauthorizedOperation", "an error code of AWS"),
        ],
    ),
    (
        "completions",
        &[
            ("deploy completions bash", "source it, or put it into your completions' directory"),
            ("deploy completions zsh", "as _deploy, in a directory of fpath"),
        ],
    ),
    ("man", &[("deploy man up", "the page of a verb"), ("deploy man --dir .", "every page, into a directory")]),
];
