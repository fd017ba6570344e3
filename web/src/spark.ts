// Owns how lively a session was of late: changes counted in buckets of time. Must not: read the clock or draw.

/** Length of a bucket. */
export const BUCKET_MS = 10_000;
/** Buckets kept. */
export const BUCKETS = 30;

export type Spark = {
  /** Number of the last bucket since the epoch. */
  slot: number;
  /** Changes by bucket, oldest first. */
  counts: readonly number[];
};

/** Some changes more, at a time. A clock that went back counts in the last bucket. */
export function beat(spark: Spark | undefined, at: number, times = 1): Spark {
  const slot = Math.max(Math.floor(at / BUCKET_MS), spark?.slot ?? 0);
  const counts = [...upTo(spark, slot)];
  counts[BUCKETS - 1] = (counts[BUCKETS - 1] ?? 0) + times;
  return { slot, counts };
}

/** The counts as they stand in a later bucket. */
export function upTo(spark: Spark | undefined, slot: number): readonly number[] {
  if (spark === undefined) return Array<number>(BUCKETS).fill(0);
  const passed = Math.min(BUCKETS, Math.max(0, slot - spark.slot));
  return passed === 0 ? spark.counts : [...spark.counts.slice(passed), ...Array<number>(passed).fill(0)];
}

/** A line through the counts for a path's `d`, in a box: low ones stay visible beside high ones. */
export function sparkPath(counts: readonly number[], width: number, height: number): string {
  const top = Math.sqrt(Math.max(4, ...counts));
  const step = width / Math.max(1, counts.length - 1);
  const y = (count: number) => (height - (Math.sqrt(count) / top) * height).toFixed(1);
  return counts.map((count, index) => `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${y(count)}`).join('');
}
