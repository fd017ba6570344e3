// What the address says, and that it says no more.
import { expect, test } from 'vitest';
import { numberIn, parseAddress, promptHref, refine, replayHref, sessionHref, VIEWS, viewHref, wordIn, writeAddress } from '../src/address.ts';

const at = (view: string, id = '', filters = {}) => ({ view, id, filters });

test('addresses name a view and survive what they name', () => {
  expect(parseAddress('')).toEqual(at('inbox'));
  expect(parseAddress('#/weather')).toEqual(at('inbox'));
  expect(parseAddress('#/queue/42')).toEqual(at('queue', '42'));
  expect(parseAddress('#/queue/x')).toEqual(at('queue'));
  expect(parseAddress(promptHref(7))).toEqual(at('queue', '7'));
  expect(parseAddress(sessionHref('a/b c%'))).toEqual(at('session', 'a/b c%'));
  expect(parseAddress('#/session/%')).toEqual(at('session', '%'));
  expect(parseAddress(replayHref('x y', { t: '1.5' }))).toEqual(at('replay', 'x y', { t: '1.5' }));
  expect(parseAddress('#/admin/tokens')).toEqual(at('admin', 'tokens'));
});

test('each view comes back from its address with its filters', () => {
  for (const view of VIEWS) {
    const id = view === 'session' || view === 'replay' ? 's/1' : view === 'queue' ? '5' : '';
    const route = { view, id, filters: { q: 'a&b=c#d/é ', group: 'host' } };
    expect(parseAddress(writeAddress(route))).toEqual(route);
  }
});

test('filters are set, replaced and taken away', () => {
  expect(refine({ a: '1', b: '2' }, { a: '', c: '3' })).toEqual({ b: '2', c: '3' });
  expect(viewHref('fleet', { group: '', sort: 'cost' })).toBe('#/fleet?sort=cost');
});

test('filters are read as what they have to be', () => {
  expect(numberIn({ t: '83.2' }, 't')).toBe(83.2);
  for (const t of ['', '-1', '1e9', 'NaN', '1.', '99999999999999999']) expect(numberIn({ t }, 't')).toBeNull();
  expect(wordIn({ sort: 'cost' }, 'sort', ['name', 'cost'])).toBe('cost');
  expect(wordIn({ sort: '__proto__' }, 'sort', ['name', 'cost'])).toBe('name');
  expect(parseAddress('#/fleet?constructor=1&A=2&x').filters).toEqual({ constructor: '1', x: '' });
});

test('a13: no address names a server or a text', () => {
  expect(parseAddress('#//evil.example/x')).toEqual(at('inbox'));
  expect(parseAddress('#/send?server=evil&text=rm').view).toBe('send');
  expect(parseAddress(`#/fleet?q=${'x'.repeat(5000)}`).filters['q']?.length).toBe(400);
});
