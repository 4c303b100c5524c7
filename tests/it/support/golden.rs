//! Texts that are kept beside the tests.

use std::path::Path;

/// Compares with `tests/golden/NAME`; UPDATE_EXPECT=1 writes it anew.
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    expect_test::expect_file![path].assert_eq(text);
}
