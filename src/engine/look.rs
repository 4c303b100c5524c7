//! One look at everything: finds run side by side and wait for one another's ids only where they need them.

use std::collections::BTreeMap;

use tokio::sync::SetOnce;

use super::Node;
use super::node::{Goal, Seen};
use super::resource::{Key, Output, Outputs};
use crate::cloud::{Cloud, Error, Result, Shared};
use crate::site::Site;

/// What the finds of one look tell one another.
pub struct Look {
    /// What the stack is to become; a removal looks for more (instances that outlive their group).
    pub goal: Goal,
    /// Reads that serve several resources, made once a look.
    pub shared: Shared,
    found: BTreeMap<Key, SetOnce<Option<Outputs>>>,
}

impl Look {
    /// A look at these nodes, with nothing found yet.
    pub fn new(stack: &[&dyn Node], goal: Goal) -> Look {
        let found = stack.iter().map(|node| (node.key(), SetOnce::new())).collect();
        Look { goal, shared: Shared::default(), found }
    }

    /// A look at one node when the outputs of the others are known.
    pub fn again(stack: &[&dyn Node], goal: Goal, node: Key, outputs: &Outputs) -> Look {
        let look = Look::new(stack, goal);
        for (key, cell) in look.found.iter().filter(|(key, _)| **key != node) {
            let own: Outputs = outputs.iter().filter(|(o, _)| o.0 == *key).map(|(o, v)| (*o, v.clone())).collect();
            let _ = cell.set(Some(own));
        }
        look
    }

    /// The live value of another resource's output, once that one was looked for. `None`: it does not exist.
    pub async fn output(&self, output: Output) -> Result<Option<String>> {
        let Some(cell) = self.found.get(output.0) else {
            return Ok(None);
        };
        match cell.wait().await {
            Some(outputs) => Ok(outputs.get(&output).cloned()),
            None => Err(Error::Unseen(output.0)),
        }
    }

    /// Finds every node, side by side. Failures do not stop the others.
    pub async fn all(&self, stack: &[&dyn Node], cloud: &Cloud, site: &Site) -> BTreeMap<Key, Result<Option<Seen>>> {
        let finds = stack.iter().map(|node| async {
            let seen = node.find(cloud, site, self).await;
            let outputs = seen.as_ref().ok().map(|seen| seen.as_ref().map(|s| s.outputs.clone()).unwrap_or_default());
            if let Some(cell) = self.found.get(node.key()) {
                let _ = cell.set(outputs);
            }
            (node.key(), seen)
        });
        futures_util::future::join_all(finds).await.into_iter().collect()
    }
}
