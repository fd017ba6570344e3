// Owns what happens when somebody clicks a link that a program printed. Must not: open anything unasked.
import type { ILinkHandler } from '@xterm/xterm';
import { show } from './show.ts';

/** Only the Web, and only after the person has seen where it leads: the text of a link may say anything. */
export const LINKS: ILinkHandler = {
  allowNonHttpProtocols: false,
  activate(_event, text) {
    let url: URL;
    try {
      url = new URL(text);
    } catch {
      return;
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return;
    if (confirm(`A program's output links to\n\n${show(url.href)}\n\nOpen it in a new tab?`)) {
      open(url.href, '_blank', 'noopener,noreferrer');
    }
  },
};
