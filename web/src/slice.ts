// Owns which rows of a long list are drawn. Must not: touch the page.

/** Where each row begins, and as the last entry where the list ends. */
export function offsets<T>(rows: readonly T[], height: (row: T) => number): Float64Array {
  const starts = new Float64Array(rows.length + 1);
  let at = 0;
  rows.forEach((row, index) => {
    starts[index] = at;
    at += height(row);
  });
  starts[rows.length] = at;
  return starts;
}

/** The rows that touch a span of pixels: from the first, up to but without the last. */
export function slice(starts: Float64Array, from: number, to: number): { first: number; last: number } {
  const count = starts.length - 1;
  const first = Math.max(0, after(starts, from) - 1);
  const last = Math.min(count, after(starts, to - 1e-6));
  return { first: Math.min(first, count), last: Math.max(last, Math.min(first, count)) };
}

/** How many rows begin at or before a place. */
function after(starts: Float64Array, place: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
