//! One reading of everything: finds run side by side, and one waits for another only when it needs its id.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::join_all;
use tokio::sync::SetOnce;

use super::node::{AnyLive, Goal, Node};
use super::resource::{Context, Key, Output, Outputs};
use super::{Error, Result};
use crate::cloud::Memo;

/// What the finds of one reading share.
pub struct Reading {
    /// What the stack is to become; a removal reads more, such as instances that outlive their group.
    pub goal: Goal,
    /// Reads that serve several resources, each made once.
    pub memo: Rc<Memo>,
    /// Everything is read, so that what one find will need may be read before it is known that it does.
    pub is_whole: bool,
    found: BTreeMap<Key, SetOnce<Option<Outputs>>>,
}

impl Reading {
    /// A reading of these nodes, with nothing found yet.
    pub fn new(stack: &[&dyn Node], goal: Goal) -> Reading {
        Reading::sharing(stack, goal, Rc::default())
    }

    /// The same, whose shared reads serve others too.
    pub fn sharing(stack: &[&dyn Node], goal: Goal, memo: Rc<Memo>) -> Reading {
        let found = stack.iter().map(|node| (node.key(), SetOnce::new())).collect();
        Reading { goal, memo, is_whole: true, found }
    }

    /// A reading of one node when the outputs of the others are known.
    pub fn again(stack: &[&dyn Node], goal: Goal, node: Key, outputs: &Outputs) -> Reading {
        let reading = Reading { is_whole: false, ..Reading::new(stack, goal) };
        for (key, cell) in reading.found.iter().filter(|(key, _)| **key != node) {
            let own: Outputs = outputs.iter().filter(|(o, _)| o.0 == *key).map(|(o, v)| (*o, v.clone())).collect();
            let _ = cell.set(Some(own));
        }
        reading
    }

    /// The one shared read of this type.
    pub fn shared<T: Default + 'static>(&self) -> Rc<T> {
        self.memo.of()
    }

    /// The live value of another resource's output, as soon as that one was read. `None`: it does not exist.
    ///
    /// # Errors
    /// The other resource could not be read.
    pub async fn output(&self, output: Output) -> Result<Option<String>> {
        let Some(cell) = self.found.get(output.0) else {
            return Ok(None);
        };
        match cell.wait().await {
            Some(outputs) => Ok(outputs.get(&output).cloned()),
            None => Err(Error::DependencyNotRead(output.0)),
        }
    }

    /// Finds every node, side by side. A failure does not stop the others.
    pub async fn all(&self, stack: &[&dyn Node], cx: &Context<'_>) -> BTreeMap<Key, Result<Option<AnyLive>>> {
        let finds = stack.iter().map(|node| async {
            let live = node.find(cx, self).await;
            let outputs = live.as_ref().ok().map(|live| live.as_ref().map(|l| l.outputs.clone()).unwrap_or_default());
            if let Some(cell) = self.found.get(node.key()) {
                let _ = cell.set(outputs);
            }
            (node.key(), live)
        });
        join_all(finds).await.into_iter().collect()
    }
}
