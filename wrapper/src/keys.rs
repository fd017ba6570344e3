//! What kind of input some bytes are. Must not: keep the bytes.

use extractor::Keys;

/// Classifies what was written to a program in one go.
pub fn classify(bytes: &[u8]) -> Keys {
    Keys { text: !bytes.is_empty(), enter: bytes.contains(&b'\r'), escape: bytes == b"\x1b", interrupt: bytes.contains(&3), ..Keys::default() }
}
