//! What the tests use of the program: `src/lib.rs` lists it.

pub use deploy::testing::*;
