//! The architecture tests are in `tests/`; see each file's head for the promise it holds.
