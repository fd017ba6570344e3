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
