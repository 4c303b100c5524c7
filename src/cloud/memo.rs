//! Reads that serve several readers, each made once.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What was read so far, by type: each type holds one read in a cell of its own.
#[derive(Debug, Default)]
pub struct Memo {
    values: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
    /// Lists of all there is are read besides: they serve also those who look for one thing.
    pub has_lists: bool,
}

impl Memo {
    /// One into which lists of all there is are read besides.
    pub fn with_lists() -> Memo {
        Memo { has_lists: true, ..Memo::default() }
    }

    /// The one value of this type, shared by all callers.
    pub fn of<T: Default + 'static>(&self) -> Rc<T> {
        let mut values = self.values.borrow_mut();
        let value = values.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(T::default()));
        // The key is the value's type, so the default is never taken.
        Rc::clone(value).downcast().unwrap_or_default()
    }
}
