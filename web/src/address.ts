// Owns what the address says: a view, what it shows, and how it is filtered: `#/fleet?group=host`,
// `#/session/ID/replay?t=83.2`, `#/queue/42`. Must not: name a server or hold a prompt's text; it is kept in the
// browser's history.

export const VIEWS = ['inbox', 'fleet', 'session', 'replay', 'queue', 'send', 'search', 'insight', 'admin'] as const;
export type View = (typeof VIEWS)[number];

/** Filters by name. A view reads the ones it knows and passes over the others. */
export type Filters = Readonly<Record<string, string>>;

export type Route = {
  view: View;
  /** A session's id, a prompt's number, a section: what the view shows; empty when it shows all. */
  id: string;
  filters: Filters;
};

/** Longest value that is read from an address. */
const LONGEST = 400;

export function parseAddress(hash: string): Route {
  const [path = '', query = ''] = split(hash.replace(/^#?\/?/, ''), '?');
  const [word = '', id = '', part] = path.split('/');
  const filters = parseFilters(query);
  if (word === 'session' && id !== '') return { view: part === 'replay' ? 'replay' : 'session', id: decode(id), filters };
  if (word === 'queue') return { view: 'queue', id: /^\d{1,15}$/.test(id) ? id : '', filters };
  if (word === 'admin') return { view: 'admin', id: /^[a-z]{1,20}$/.test(id) ? id : '', filters };
  if (word === 'fleet' || word === 'send' || word === 'search' || word === 'insight') return { view: word, id: '', filters };
  return { view: 'inbox', id: '', filters };
}

export function writeAddress({ view, id, filters }: Route): string {
  const path =
    view === 'inbox' ? '' : view === 'replay' ? `session/${encodeURIComponent(id)}/replay` : id === '' ? view : `${view}/${encodeURIComponent(id)}`;
  const query = Object.entries(filters)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

/** The filters with some changed; an empty value takes one away. */
export function refine(filters: Filters, change: Filters): Filters {
  return Object.fromEntries(Object.entries({ ...filters, ...change }).filter(([, value]) => value !== ''));
}

/** A number in a filter, when it is one. */
export function numberIn(filters: Filters, name: string): number | null {
  const value = filters[name];
  if (value === undefined || !/^\d{1,16}(\.\d{1,6})?$/.test(value)) return null;
  return Number(value);
}

/** One of some words in a filter; the first of them when it is none. */
export function wordIn<W extends string>(filters: Filters, name: string, known: readonly [W, ...W[]]): W {
  return known.find((word) => word === filters[name]) ?? known[0];
}

function parseFilters(query: string): Filters {
  const pairs = query.split('&').map((pair) => split(pair, '='));
  return Object.fromEntries(
    pairs.filter(([name]) => /^[a-z]{1,20}$/.test(name)).map(([name, value]) => [name, decode(value).slice(0, LONGEST)]),
  );
}

function split(text: string, at: string): [string, string] {
  const place = text.indexOf(at);
  return place < 0 ? [text, ''] : [text.slice(0, place), text.slice(place + 1)];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const sessionHref = (id: string): string => writeAddress({ view: 'session', id, filters: {} });
export const replayHref = (id: string, filters: Filters = {}): string => writeAddress({ view: 'replay', id, filters });
export const promptHref = (id: number): string => writeAddress({ view: 'queue', id: String(id), filters: {} });
export const viewHref = (view: View, filters: Filters = {}, id = ''): string => writeAddress({ view, id, filters });
