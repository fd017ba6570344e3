// Owns the tab's icon: one small SVG file for each count of things that need a person, so that the page
// needs no data: address in its security policy. Must not: be shipped in the bundle.
import type { Plugin } from 'vite';

/** Counts above this share the last icon. */
export const MOST = 9;

/** The icon for a count. */
export function favicon(count: number): string {
  const fill = count === 0 ? '#4b6a88' : '#b45309';
  const word = count === 0 ? 'm' : count > MOST ? `${MOST}+` : String(count);
  const size = word.length > 1 ? 34 : 44;
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">' +
    `<rect width="64" height="64" rx="14" fill="${fill}"/>` +
    `<text x="32" y="${count === 0 ? 44 : 47}" fill="#fff" font-family="system-ui, sans-serif" font-size="${size}" ` +
    `font-weight="700" text-anchor="middle">${word}</text></svg>\n`
  );
}

/** Writes `favicon-0.svg` to `favicon-10.svg` beside the page. */
export function favicons(): Plugin {
  return {
    name: 'favicons',
    apply: 'build',
    generateBundle() {
      for (let count = 0; count <= MOST + 1; count++) {
        this.emitFile({ type: 'asset', fileName: `favicon-${count}.svg`, source: favicon(count) });
      }
    },
  };
}
