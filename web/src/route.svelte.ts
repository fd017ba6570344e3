// Owns which view the address names: `#/`, `#/session/ID`, `#/queue`, `#/queue/42`, `#/send`.
// Must not: read anything else from the address, least of all a server or a prompt's text.

export type Route =
  | { view: 'sessions' }
  | { view: 'session'; id: string }
  | { view: 'queue'; prompt: number | null }
  | { view: 'send' };

export function parseRoute(hash: string): Route {
  const [view, id] = hash.replace(/^#?\/?/, '').split('/');
  if (view === 'session' && id !== undefined && id !== '') return { view, id: decode(id) };
  if (view === 'queue') return { view, prompt: id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : null };
  if (view === 'send') return { view };
  return { view: 'sessions' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const sessionHref = (id: string): string => `#/session/${encodeURIComponent(id)}`;
export const promptHref = (id: number): string => `#/queue/${id}`;

class Place {
  route = $state.raw<Route>({ view: 'sessions' });
  /** Session that the next composer starts with; handed over in memory, never in the address. */
  sendTo = $state<string | null>(null);

  start(): void {
    const read = () => (this.route = parseRoute(location.hash));
    addEventListener('hashchange', read);
    read();
  }

  go(hash: string): void {
    location.hash = hash;
  }
}

export const place = new Place();
