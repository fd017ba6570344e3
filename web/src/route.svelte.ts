// Owns where the page is: what `address.ts` reads from the address, as a signal. Must not: take a server or a
// prompt's text from it.
import { parseAddress, refine, writeAddress, type Filters, type Route } from './address.ts';

class Place {
  route = $state.raw<Route>({ view: 'inbox', id: '', filters: {} });
  /** Session that the next composer starts with; handed over in memory, never in the address. */
  sendTo = $state<string | null>(null);
  /** Text that it starts with, likewise. */
  sendText = $state('');

  start(): void {
    const read = () => (this.route = parseAddress(location.hash));
    addEventListener('hashchange', read);
    read();
  }

  go(hash: string): void {
    location.hash = hash;
  }

  /** Changes filters in place: going back leaves the view instead of undoing each letter. */
  refine(change: Filters): void {
    this.route = { ...this.route, filters: refine(this.route.filters, change) };
    history.replaceState(history.state, '', writeAddress(this.route));
  }

  /** Opens the composer. */
  compose(session: string | null, text = ''): void {
    this.sendTo = session;
    this.sendText = text;
    this.go('#/send');
  }
}

export const place = new Place();
