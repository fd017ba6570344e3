// Owns desktop notifications: asked for by a person, told once for each thing, only while the page is not looked at.
// Must not: carry anything that an agent wrote.

/** Kept in this browser: whether the person wants them. */
const KEY = 'muster.notices';

class Notices {
  #wanted = $state(localStorage.getItem(KEY) === 'on');
  #permission = $state(typeof Notification === 'undefined' ? 'missing' : Notification.permission);
  #told = new Set<string>();

  get state(): 'on' | 'off' | 'denied' | 'missing' {
    if (this.#permission === 'missing' || this.#permission === 'denied') return this.#permission;
    return this.#wanted && this.#permission === 'granted' ? 'on' : 'off';
  }

  async on(): Promise<void> {
    this.#permission = await Notification.requestPermission();
    this.#want(this.#permission === 'granted');
  }

  off(): void {
    this.#want(false);
  }

  /** Tells what was not told yet. What is there when the page begins, or while it is looked at, is no news. */
  tell(items: readonly { key: string; text: string }[]): void {
    const news = items.filter(({ key }) => !this.#told.has(key));
    this.#told = new Set(items.map(({ key }) => key));
    if (this.state !== 'on' || document.visibilityState === 'visible') return;
    for (const { key, text } of news.slice(0, 3)) {
      const notice = new Notification('Muster', { body: text, tag: key });
      notice.onclick = () => {
        window.focus();
        location.hash = '#/';
      };
    }
  }

  #want(wanted: boolean): void {
    this.#wanted = wanted;
    if (wanted) localStorage.setItem(KEY, 'on');
    else localStorage.removeItem(KEY);
  }
}

export const notices = new Notices();
