// Generated from the crate `wire` by `cargo test -p tidy`; do not edit.

/** What hides or reorders what a person reads, for `new RegExp(`[${HIDDEN}]`, 'u')`. */
export const HIDDEN =
  '\\u{ad}-\\u{ad}\\u{34f}-\\u{34f}\\u{61c}-\\u{61c}\\u{180e}-\\u{180e}\\u{200b}-\\u{200b}\\u{200e}-\\u{200f}\\u{2028}-\\u{202e}\\u{2060}-\\u{206f}\\u{3164}-\\u{3164}\\u{feff}-\\u{feff}\\u{ffa0}-\\u{ffa0}\\u{fff9}-\\u{fffb}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}';
