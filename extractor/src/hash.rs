//! Short stable hashes of text. Must not: be used where an adversary gains by a collision.

/// FNV-1a of some parts, 64 bits.
pub fn hash<'p>(parts: impl Iterator<Item = &'p str>) -> u64 {
    let mut value = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            value = (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    value
}

/// The hash of some parts as 16 hex digits.
pub fn fingerprint<'p>(parts: impl Iterator<Item = &'p str>) -> String {
    format!("{:016x}", hash(parts))
}

/// A hash of a text that is quick and holds only within this process.
pub fn quick(text: &str) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut value = ODD ^ text.len() as u64;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    for word in words.iter().chain([&last]) {
        value = (value ^ u64::from_le_bytes(*word)).wrapping_mul(ODD);
        value ^= value >> 29;
    }
    value = value.wrapping_mul(ODD);
    value ^ (value >> 32)
}
