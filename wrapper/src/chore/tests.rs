//! The promises of preparing, against real repositories.
use super::*;
