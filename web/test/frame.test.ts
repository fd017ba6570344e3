// The layout of terminal frames.
import { expect, test } from 'vitest';
import { decodeFrame, HEADER } from '../src/frame.ts';

function encode(stream: number, kind: number, offset: bigint, cols: number, rows: number, payload: string): ArrayBuffer {
  const text = new TextEncoder().encode(payload);
  const buffer = new ArrayBuffer(HEADER + text.length);
  const view = new DataView(buffer);
  view.setUint32(0, stream);
  view.setUint8(4, kind);
  view.setBigUint64(5, offset);
  view.setUint16(13, cols);
  view.setUint16(15, rows);
  new Uint8Array(buffer, HEADER).set(text);
  return buffer;
}

test('each kind is read with its place and size', () => {
  expect(decodeFrame(encode(7, 1, 4_294_967_296n, 100, 30, 'screen'))).toEqual({
    stream: 7,
    kind: 'snapshot',
    offset: 4_294_967_296,
    cols: 100,
    rows: 30,
    payload: new TextEncoder().encode('screen'),
  });
  expect(decodeFrame(encode(1, 2, 0n, 0, 0, ''))?.kind).toBe('bytes');
  expect(decodeFrame(encode(1, 3, 0n, 80, 24, ''))?.kind).toBe('resize');
});

test('a short frame and an unknown kind are refused', () => {
  expect(decodeFrame(new ArrayBuffer(HEADER - 1))).toBeNull();
  expect(decodeFrame(encode(1, 9, 0n, 0, 0, ''))).toBeNull();
});
