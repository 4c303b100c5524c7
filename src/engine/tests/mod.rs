//! Tests of the engine alone: toy resources in a world of their own, and a cloud that never answers.

mod planner;
mod reconcile;
mod toy;
mod walk;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tokio::time::Instant;

use super::resource::{Context, Key};
use super::{Decision, Goal, LiveStack, Node, Ownership, Plan, Planner, Walk, WalkResult};
use crate::clock::{Cancel, Clock, Wait};
use crate::cloud::{Access, Cloud, StandIn};
use crate::config::{Config, Network};
use crate::event::Event;
use crate::site::{OWNER_TAG, Site};
use toy::World;

/// A stack of toys and everything that a run over it needs.
struct Lab {
    world: Rc<World>,
    toys: Vec<Box<dyn Node>>,
    site: Site,
    cloud: Cloud,
    cancel: Cancel,
    clock: Clock,
    start: Instant,
    events: Rc<RefCell<Vec<Event>>>,
    watch: Box<dyn Fn(Event)>,
}

/// Any call to AWS waits for ever: toys make none.
#[derive(Debug)]
struct Silence;

impl HttpConnector for Silence {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

impl Lab {
    /// A lab with these toys, an empty world, and an hour of time.
    async fn new(toys: impl FnOnce(&Rc<World>) -> Vec<Box<dyn Node>>) -> Lab {
        let network = Network { vpc: "vpc-0".to_owned(), private_subnets: Vec::new(), public_subnets: Vec::new() };
        let http_client = http_client_fn(|_, _| SharedHttpConnector::new(Silence));
        let stand_in = StandIn { http_client, account: "123456789012".to_owned(), ends: None };
        let access = Access { region: Some("eu-central-1".to_owned()), stand_in: Some(stand_in), profile: None };
        let (world, events) = (Rc::new(World::default()), Rc::new(RefCell::new(Vec::new())));
        let noted = Rc::clone(&events);
        Lab {
            toys: toys(&world),
            world,
            site: Site::blank(Config::new(network), "eu-central-1"),
            cloud: Cloud::connect(&access).await.unwrap(),
            cancel: Cancel::never(),
            clock: Clock::new(Duration::from_hours(1), 1.0),
            start: Instant::now(),
            events,
            watch: Box::new(move |event| noted.borrow_mut().push(event)),
        }
    }

    fn planner(&self, goal: Goal) -> Planner<'_> {
        let stack: Vec<&dyn Node> = self.toys.iter().map(|toy| &**toy).collect();
        let owner = (OWNER_TAG.to_owned(), self.site.config.stack.clone());
        Planner::new(&stack, &self.site, goal, Ownership { owner, adopt: false })
    }

    fn walk<'a>(&'a self, planner: &'a Planner<'a>) -> Walk<'a> {
        let cx = Context::reading(&self.cloud, &self.site);
        Walk { planner, cx, wait: Wait { clock: self.clock, cancel: &self.cancel, watch: &*self.watch } }
    }

    /// Reads, plans and acts once.
    async fn act(&self, goal: Goal) -> WalkResult {
        let planner = self.planner(goal);
        let walk = self.walk(&planner);
        let live = walk.read().await.unwrap();
        let keys = pending(&planner.plan(&live));
        walk.act(live, &keys).await
    }

    /// What a plan decides about each toy.
    async fn plan(&self, goal: Goal) -> Vec<(Key, Decision)> {
        let planner = self.planner(goal);
        let live = self.walk(&planner).read().await.unwrap();
        planner.plan(&live).into_iter().collect()
    }

    /// What a reading shows.
    async fn read(&self, goal: Goal) -> LiveStack {
        let planner = self.planner(goal);
        self.walk(&planner).read().await.unwrap()
    }

    fn millis(&self) -> u128 {
        self.start.elapsed().as_millis()
    }

    /// The events so far, as in `a: Skipped("b")`.
    fn events(&self) -> Vec<String> {
        self.events.borrow().iter().map(|event| format!("{}: {:?}", event.key, event.what)).collect()
    }
}

/// What there is something to do about.
fn pending(plan: &Plan) -> BTreeSet<Key> {
    plan.pending().map(|(key, _)| key).collect()
}
