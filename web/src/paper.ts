// Owns how xterm.js gets its styles under a policy without inline styles: what it would write into <style>
// elements and style attributes goes through the CSSOM instead, which the policy allows.
// Must not: change a document for anything but the terminal's own elements.

/** Stands in for a <style> element; its text becomes a constructed style sheet of the document. */
function sheet(document: Document): HTMLElement {
  const element = document.createElement('template');
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', {
    set: (css: string) => sheet.replaceSync(css),
    get: () => '',
  });
  const remove = element.remove.bind(element);
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    remove();
  };
  return element;
}

/** An element whose style attribute is set as a property. */
function plain<T extends HTMLElement>(element: T): T {
  const set = element.setAttribute.bind(element);
  element.setAttribute = (name, value) => {
    if (name === 'style') element.style.cssText = value;
    else set(name, value);
  };
  return element;
}

/** The document, as a terminal sees it: for the option `documentOverride`. */
export function paper(document: Document): Document {
  return new Proxy(document, {
    get(target, name) {
      if (name === 'createElement') {
        return (tag: string) => (tag === 'style' ? sheet(target) : tag === 'span' ? plain(target.createElement(tag)) : target.createElement(tag));
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

/**
 * Runs `open` while the document itself makes no <style> either: xterm.js 6.0 asks it, and not the override,
 * for the one of its scroll bar. Nothing else runs meanwhile.
 */
export function opening(document: Document, open: () => void): void {
  const create = document.createElement;
  const own: Partial<Document> = {
    createElement: ((tag: string, options?: ElementCreationOptions) =>
      tag === 'style' ? withCreate(document, create, () => sheet(document)) : create.call(document, tag, options)) as Document['createElement'],
  };
  Object.assign(document, own);
  try {
    open();
  } finally {
    Reflect.deleteProperty(document, 'createElement');
  }
}

function withCreate(document: Document, create: Document['createElement'], make: () => HTMLElement): HTMLElement {
  const shadow = document.createElement;
  document.createElement = create;
  try {
    return make();
  } finally {
    document.createElement = shadow;
  }
}
