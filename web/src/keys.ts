// Owns the keyboard shortcuts: they move the focus and press buttons that can be seen. Must not: act on what
// has no focus, or while a person types.

/** Elements that `j` and `k` walk through. */
const ITEM = '[data-item]';

export const SHORTCUTS: readonly { title: string; keys: readonly { keys: string; what: string }[] }[] = [
  {
    title: 'The item that has the focus',
    keys: [
      { keys: 'j / k', what: 'next, previous item' },
      { keys: 'o / Enter', what: 'open it' },
      { keys: 'a', what: 'approve what it asks' },
      { keys: 'd', what: 'deny what it asks' },
      { keys: '1 … 9', what: 'choose from what it offers' },
      { keys: 'r', what: 'try it again' },
      { keys: 'e', what: 'take note of it: it leaves the inbox' },
      { keys: 'x', what: 'choose it, to act on several at once' },
    ],
  },
  {
    title: 'Go to',
    keys: [
      { keys: 'i', what: 'inbox' },
      { keys: 'g', what: 'fleet' },
      { keys: 'q', what: 'queue' },
      { keys: 's', what: 'send a prompt' },
      { keys: 'f', what: 'search everywhere' },
      { keys: '/', what: 'filter what is shown' },
      { keys: '?', what: 'this help' },
    ],
  },
  {
    title: 'In a terminal or a recording',
    keys: [
      { keys: 'Ctrl+Alt+R', what: 'give the keyboard back' },
      { keys: 'Space', what: 'play, pause a recording' },
    ],
  },
];

export type KeyActions = { go: (hash: string) => void; help: () => void };

export function onKey(event: KeyboardEvent, actions: KeyActions): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || busy(event.target)) return;
  const act = /^[1-9]$/.test(event.key) ? () => press(`option-${event.key}`) : ACTIONS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act(actions);
}

const ACTIONS: Record<string, (actions: KeyActions) => void> = {
  j: () => move(1),
  k: () => move(-1),
  o: () => press('open'),
  a: () => press('approve'),
  d: () => press('deny'),
  r: () => press('retry'),
  e: () => press('seen'),
  x: () => press('select'),
  i: ({ go }) => go('#/'),
  g: ({ go }) => go('#/fleet'),
  q: ({ go }) => go('#/queue'),
  s: ({ go }) => go('#/send'),
  f: ({ go }) => go('#/search'),
  '/': () => document.querySelector<HTMLElement>('[data-filter]')?.focus(),
  '?': ({ help }) => help(),
};

/** Whether the key belongs to what has the focus, or to a dialog that is open above the page. */
function busy(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  // In a terminal, too: who goes on typing when the keyboard was taken away must not approve anything by that.
  return target.matches('input:not([type=checkbox], [type=range]), select, textarea');
}

function move(by: 1 | -1): void {
  const items = [...document.querySelectorAll<HTMLElement>(ITEM)];
  const at = items.findIndex((item) => item.contains(document.activeElement));
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + by))];
  if (next !== undefined) focusItem(next);
}

/** Gives an item the focus where it is opened. */
export function focusItem(item: HTMLElement): void {
  const focus = item.matches('a, button') ? item : (item.querySelector<HTMLElement>('[data-open]') ?? item);
  focus.focus({ preventScroll: true });
  item.scrollIntoView({ block: 'nearest' });
}

/** Presses the button of the item that has the focus; on a page about one thing there is only one. */
function press(what: string): void {
  const scope = document.activeElement?.closest(`${ITEM}, [data-scope]`) ?? document.querySelector('[data-scope]');
  if (what === 'open') return (scope?.matches('[data-open]') ? (scope as HTMLElement) : scope?.querySelector<HTMLElement>('[data-open]'))?.click();
  const button = scope?.querySelector<HTMLButtonElement | HTMLInputElement>(`[data-press="${what}"]`);
  if (button?.disabled === false) button.click();
}
