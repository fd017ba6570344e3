// Owns how xterm.js gets its styles under a policy without inline styles: what it would write into <style>
// elements and style attributes goes through the CSSOM instead, which the policy allows.
// Must not: change a document for longer than a terminal takes to open.
import type { Terminal } from '@xterm/xterm';

/** Stands in for a <style> element; its text becomes a constructed style sheet of the document. */
function sheetElement(): HTMLElement {
  const element = document.createElement('template');
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', { set: (css: string) => sheet.replaceSync(css), get: () => '' });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

/** Opens a terminal in `host`. All <style> elements of xterm.js 6.0 are made while it opens, and nothing else runs then. */
export function openOnPaper(term: Terminal, host: HTMLElement): void {
  const create = Document.prototype.createElement;
  let nested = false;
  const shadow = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    if (tag !== 'style' || nested) return create.call(document, tag, options);
    nested = true;
    const element = sheetElement();
    nested = false;
    return element;
  };
  Object.defineProperty(document, 'createElement', { value: shadow, configurable: true });
  try {
    term.open(host);
  } finally {
    Reflect.deleteProperty(document, 'createElement');
  }
  styleByProperty(term);
}

/** What is reached for inside xterm.js 6.0.0, which is pinned: the one place that sets a style attribute. */
type Inside = {
  _core?: { _renderService?: { _renderer?: { value?: { _rowFactory?: { _addStyle?: (element: HTMLElement, css: string) => void } } } } };
};

/** Cells in colours outside the palette carry their own style. Were this not found, they would lose only that. */
function styleByProperty(term: Terminal): void {
  const factory = (term as unknown as Inside)._core?._renderService?._renderer?.value?._rowFactory;
  if (factory?._addStyle === undefined) return;
  factory._addStyle = (element, css) => {
    element.style.cssText += `${css};`;
  };
}
