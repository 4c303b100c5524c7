//! A resource that exists in a `World` of the test, and does there what the test's script says.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

use crate::clock::elapse;
use crate::cloud::{self, Memo, Tags};
use crate::engine::refs::Edge;
use crate::engine::resource::{Blocker, Context, Key, Live, Output, Outputs, Owner, Resource, Status, WARNING};
use crate::engine::{Error, Node, Reading, Refs, Result};
use crate::site::Site;

/// How long each change of a toy takes.
pub const WORK: Duration = Duration::from_secs(10);

/// What exists, what is wanted, and what goes wrong.
#[derive(Default)]
pub struct World {
    /// What is warned of at each create.
    pub warning: RefCell<Option<String>>,
    /// What exists.
    pub toys: RefCell<BTreeMap<Key, Live<Spec>>>,
    /// Sizes and places that are wanted; 1 and 1 when nothing is said.
    pub wanted: RefCell<BTreeMap<Key, (u32, u32)>>,
    /// What holds a toy.
    pub blockers: RefCell<BTreeMap<Key, Vec<Blocker>>>,
    /// The changes that were begun, in order: `create a`.
    calls: RefCell<Vec<String>>,
    answers: RefCell<BTreeMap<String, VecDeque<Answer>>>,
    made: RefCell<u32>,
}

/// What a call answers out of the ordinary.
pub enum Answer {
    /// Refused; nothing is done.
    Refuses(Error),
    /// Done, and the answer is lost.
    Loses(Error),
    /// Success, and nothing is done.
    Ignores,
    /// A read shows nothing.
    Hides,
    /// A read shows this state.
    Shows(Status),
}

impl World {
    /// The next calls `create a`, `update a`, `delete a` or `find a` answer this.
    pub fn script(&self, call: &str, answers: impl IntoIterator<Item = Answer>) {
        self.answers.borrow_mut().entry(call.to_owned()).or_default().extend(answers);
    }

    /// What was begun.
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// It exists with this owner, as wanted.
    pub fn exists(&self, key: Key, owner: Owner) {
        let live = Live::ready(Spec { size: 1, place: 1, uses: BTreeMap::new() }, owner);
        self.toys.borrow_mut().insert(key, live.output(id(key), format!("{key}-0")));
    }

    fn answer(&self, call: &str) -> Option<Answer> {
        self.answers.borrow_mut().get_mut(call)?.pop_front()
    }

    /// Notes a change, lets it take its time, and makes it unless the script says otherwise.
    async fn change(&self, verb: &str, key: Key, change: impl FnOnce()) -> Result<()> {
        let call = format!("{verb} {key}");
        self.calls.borrow_mut().push(call.clone());
        elapse(WORK).await;
        match self.answer(&call) {
            Some(Answer::Refuses(error)) => return Err(error),
            Some(Answer::Ignores) => return Ok(()),
            Some(Answer::Loses(error)) => {
                change();
                return Err(error);
            }
            _ => change(),
        }
        Ok(())
    }
}

/// A toy named after a letter. It asks for the others that it needs.
pub struct Toy<const NAME: char> {
    world: Rc<World>,
    needs: &'static [(Edge, char)],
}

/// A toy of this world with these needs.
pub fn toy<const NAME: char>(world: &Rc<World>, needs: &'static [(Edge, char)]) -> Box<dyn Node> {
    Box::new(Toy::<NAME> { world: Rc::clone(world), needs })
}

/// A toy's settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// It can be changed.
    pub size: u32,
    /// It cannot be changed in place.
    pub place: u32,
    /// Ids of the toys that it needs.
    pub uses: BTreeMap<Key, String>,
}

const fn key(name: char) -> Key {
    match name {
        'a' => "a",
        'b' => "b",
        'c' => "c",
        'd' => "d",
        _ => panic!("toys are called a to d"),
    }
}

/// A toy's id.
pub fn id(key: Key) -> Output {
    Output(key, "id")
}

impl<const NAME: char> Toy<NAME> {
    /// Its tags when it is made by the engine.
    fn owner(&self, site: &Site) -> Owner {
        Owner::Tags(site.tags(&Resource::name(self, site)))
    }
}

impl<const NAME: char> Resource for Toy<NAME> {
    const KEY: Key = key(NAME);
    const STEP: u8 = 1;
    const FORCES_REPLACEMENT: &'static [&'static str] = &["place"];
    type Spec = Spec;

    fn name(&self, _: &Site) -> String {
        format!("toy {NAME}")
    }

    fn want(&self, _: &Site, refs: &Refs) -> Spec {
        let mut uses = BTreeMap::new();
        for (edge, other) in self.needs {
            match edge {
                Edge::Value => {
                    uses.insert(key(*other), refs.get(id(key(*other))));
                }
                Edge::After => refs.after(key(*other)),
                Edge::Follows => refs.follows(key(*other)),
                Edge::Outlives => refs.outlives(key(*other)),
                Edge::Awaits => refs.awaits(key(*other)),
            }
        }
        let (size, place) = self.world.wanted.borrow().get(Self::KEY).copied().unwrap_or((1, 1));
        Spec { size, place, uses }
    }

    async fn find(&self, _: &Context<'_>, reading: &Reading) -> Result<Option<Live<Spec>>> {
        for (_, other) in self.needs.iter().filter(|(edge, _)| *edge == Edge::Value) {
            reading.output(id(key(*other))).await?;
        }
        let live = self.world.toys.borrow().get(Self::KEY).cloned();
        match self.world.answer(&format!("find {NAME}")) {
            Some(Answer::Refuses(error) | Answer::Loses(error)) => Err(error),
            Some(Answer::Hides) => Ok(None),
            Some(Answer::Shows(status)) => Ok(live.map(|live| live.status(status))),
            Some(Answer::Ignores) | None => Ok(live),
        }
    }

    async fn create(&self, cx: &Context<'_>, want: &Spec) -> Result<Outputs> {
        let made = {
            let mut made = self.world.made.borrow_mut();
            *made += 1;
            format!("{NAME}-{made}")
        };
        let live = Live::ready(want.clone(), self.owner(cx.site)).output(id(Self::KEY), &made);
        let create = || {
            self.world.toys.borrow_mut().insert(Self::KEY, live);
        };
        self.world.change("create", Self::KEY, create).await?;
        let warning = self.world.warning.borrow().clone();
        let warning = warning.map(|words| (Output(Self::KEY, WARNING), words));
        Ok([(id(Self::KEY), made)].into_iter().chain(warning).collect())
    }

    async fn update(&self, _: &Context<'_>, _: &Live<Spec>, want: &Spec) -> Result<Outputs> {
        let update = || {
            if let Some(live) = self.world.toys.borrow_mut().get_mut(Self::KEY) {
                live.spec = want.clone();
            }
        };
        self.world.change("update", Self::KEY, update).await?;
        Ok(Outputs::new())
    }

    async fn delete(&self, _: &Context<'_>, _: &Live<Spec>) -> Result<()> {
        let delete = || {
            self.world.toys.borrow_mut().remove(Self::KEY);
        };
        self.world.change("delete", Self::KEY, delete).await
    }

    async fn blockers(&self, _: &Context<'_>, _: &Live<Spec>) -> Result<Vec<Blocker>> {
        Ok(self.world.blockers.borrow().get(Self::KEY).cloned().unwrap_or_default())
    }

    async fn tagged(&self, _: &Context<'_>, _: &Memo) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// AWS refuses with this code.
pub fn refused(code: &str) -> Error {
    let (service, operation, message) = ("toys".to_owned(), "MakeToy".to_owned(), "no".to_owned());
    cloud::Error::Refused { service, operation, code: code.to_owned(), message, request_id: None }.into()
}

/// AWS does not answer.
pub fn outage() -> Error {
    let (service, operation, message) = ("toys".to_owned(), "MakeToy".to_owned(), "no answer".to_owned());
    cloud::Error::Unanswered { service, operation, status: None, message, outage: true }.into()
}

/// An owner without a tag of ours.
pub fn untagged() -> Owner {
    Owner::Tags(Tags::new())
}
