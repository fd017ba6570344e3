// Owns the keyboard shortcuts: they move the focus and press buttons that can be seen. Must not: act on what
// has no focus, or while a person types.

/** Elements that `j` and `k` walk through. */
const ITEM = '[data-item]';

export const SHORTCUTS: readonly { keys: string; what: string }[] = [
  { keys: 'j / k', what: 'next, previous item' },
  { keys: 'Enter', what: 'open the item' },
  { keys: 'a', what: 'approve what the item asks' },
  { keys: 'd', what: 'deny what the item asks' },
  { keys: 's', what: 'send a prompt' },
  { keys: 'g', what: 'sessions' },
  { keys: 'q', what: 'queue' },
  { keys: '/', what: 'filter sessions' },
  { keys: '?', what: 'this help' },
  { keys: 'Ctrl+Alt+R', what: 'give the keyboard back while in a terminal' },
];

export type KeyActions = { go: (hash: string) => void; help: () => void };

export function onKey(event: KeyboardEvent, actions: KeyActions): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || typing(event.target)) return;
  const act = ACTIONS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act(actions);
}

const ACTIONS: Record<string, (actions: KeyActions) => void> = {
  j: () => move(1),
  k: () => move(-1),
  a: () => press('approve'),
  d: () => press('deny'),
  s: ({ go }) => go('#/send'),
  g: ({ go }) => go('#/'),
  q: ({ go }) => go('#/queue'),
  '/': () => document.querySelector<HTMLElement>('[data-filter]')?.focus(),
  '?': ({ help }) => help(),
};

function typing(target: EventTarget | null): boolean {
  // A terminal whose keys are not sent has a read-only text area; shortcuts work there.
  return target instanceof HTMLElement && target.matches('input, select, textarea:not([readonly])');
}

function move(by: 1 | -1): void {
  const items = [...document.querySelectorAll<HTMLElement>(ITEM)];
  const at = items.findIndex((item) => item.contains(document.activeElement));
  const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, at + by))];
  const focus = next?.matches('a, button') ? next : (next?.querySelector<HTMLElement>('[data-open]') ?? next);
  focus?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/** Presses the button of the item that has the focus; on a session's own page there is only one. */
function press(what: 'approve' | 'deny'): void {
  const scope = document.activeElement?.closest(`${ITEM}, [data-scope]`) ?? document.querySelector('[data-scope]');
  const button = scope?.querySelector<HTMLButtonElement>(`[data-press="${what}"]`);
  if (button?.disabled === false) button.click();
}
