// Ages, figures, paths, delays.
import { expect, test } from 'vitest';
import { count, counted, dollars, iso, precise, span, tail } from '../src/format.ts';
import { backoff } from '../src/socket.ts';

test('ages and durations', () => {
  expect(span(-5)).toBe('0 s');
  expect(span(59_999)).toBe('59 s');
  expect(span(95_000)).toBe('1 min 35 s');
  expect(span(20 * 60_000 + 5000)).toBe('20 min');
  expect(span(3_660_000)).toBe('1 h 1 min');
  expect(span(90_000_000)).toBe('1 d 1 h');
  expect(precise(420)).toBe('0.4 s');
});

test('a time that no calendar holds breaks nothing', () => {
  expect(iso(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(iso(1e300)).toBeUndefined();
  expect(iso(Number.NaN)).toBeUndefined();
});

test('figures', () => {
  expect([950, 12_340, 131_500, 2_400_000].map(count)).toEqual(['950', '12.3k', '132k', '2.4M']);
  expect([0, 0.042, 1.834].map(dollars)).toEqual(['$0.00', '$0.042', '$1.83']);
});

test('paths keep the end that tells them apart', () => {
  expect(tail('/home/ada/src/api')).toBe('~/src/api');
  expect(tail('/Users/ada')).toBe('~');
  expect(tail('/srv/www')).toBe('/srv/www');
  expect(tail('/srv/a/b/c/d')).toBe('…/c/d');
  expect(tail('/')).toBe('/');
});

test('delays grow to a bound and never meet', () => {
  expect(backoff(1, 0)).toBe(200);
  expect(backoff(1, 1)).toBe(400);
  expect(backoff(50, 1)).toBe(15_000);
});

test('one is no plural', () => {
  expect([counted(0, 'prompt'), counted(1, 'prompt'), counted(2, 'prompt')]).toEqual(['0 prompts', '1 prompt', '2 prompts']);
});
