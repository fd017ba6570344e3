// Owns the layout of a terminal frame as the server sends it to a viewer. Must not: interpret the bytes.
//
// `stream u32 · kind u8 · offset u64 · cols u16 · rows u16 · payload`, big-endian.

export type FrameKind = 'snapshot' | 'bytes' | 'resize';

export type Frame = {
  stream: number;
  kind: FrameKind;
  /** Where in the session's output. */
  offset: number;
  cols: number;
  rows: number;
  payload: Uint8Array;
};

/** Bytes before the payload. */
export const HEADER = 17;

const KINDS: Record<number, FrameKind> = { 1: 'snapshot', 2: 'bytes', 3: 'resize' };

/** Reads a frame; `null` when it is short or of a kind this build does not know. */
export function decodeFrame(data: ArrayBuffer): Frame | null {
  if (data.byteLength < HEADER) return null;
  const head = new DataView(data, 0, HEADER);
  const kind = KINDS[head.getUint8(4)];
  if (kind === undefined) return null;
  return {
    stream: head.getUint32(0),
    kind,
    offset: Number(head.getBigUint64(5)),
    cols: head.getUint16(13),
    rows: head.getUint16(15),
    payload: new Uint8Array(data, HEADER),
  };
}
