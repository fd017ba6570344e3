// Owns the tab: title and icon carry how many things need a person. Must not: count them.

/** Counts above this share the last icon; `favicon.ts` of the build draws as many. */
const MOST = 9;

export function showAttention(count: number, connected: boolean): void {
  const title = count > 0 ? `(${count}) Muster` : 'Muster';
  document.title = connected ? title : `${title} – not connected`;
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = `/favicon-${Math.min(count, MOST + 1)}.svg`;
  if (icon !== null && icon.getAttribute('href') !== href) icon.setAttribute('href', href);
}
