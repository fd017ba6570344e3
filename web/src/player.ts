// Owns a terminal that shows a recording at a second of it. Must not: keep time, load the recording, or take keys.
import { SerializeAddon } from '@xterm/addon-serialize';
import { openTerminal } from './terminal.ts';
import { upTo, type Track } from './track.ts';

/** So many characters between two pictures of the screen, from which going back begins. */
const BETWEEN = 256 * 1024;
/** Written at once before the page may do something else. */
const AT_ONCE = 64 * 1024;

/** The screen after some pieces. */
type Picture = { pieces: number; cols: number; rows: number; screen: string };

export class Player {
  readonly #host: ReturnType<typeof openTerminal>;
  readonly #serialize = new SerializeAddon();
  #pictures: Picture[] = [];
  #from = -1;
  /** Pieces that the terminal has, and characters since the last picture. */
  #pieces = 0;
  #since = 0;
  #wish: { track: Track; t: number } | null = null;
  #busy = false;

  constructor(host: HTMLElement) {
    this.#host = openTerminal(host);
    this.#host.term.loadAddon(this.#serialize);
  }

  /** Shows a second. While it is being drawn, only the latest wish is kept. */
  async show(track: Track, t: number): Promise<void> {
    this.#wish = { track, t };
    if (this.#busy) return;
    this.#busy = true;
    for (let wish = this.#take(); wish !== null; wish = this.#take()) await this.#draw(wish.track, wish.t);
    this.#busy = false;
  }

  dispose(): void {
    this.#wish = null;
    this.#host.dispose();
  }

  #take(): { track: Track; t: number } | null {
    const wish = this.#wish;
    this.#wish = null;
    return wish;
  }

  async #draw(track: Track, t: number): Promise<void> {
    if (this.#from !== track.from) {
      this.#from = track.from;
      this.#pictures = [{ pieces: 0, cols: track.size.cols, rows: track.size.rows, screen: '' }];
      this.#pieces = Infinity;
    }
    const target = upTo(track.pieces, t);
    const near = this.#pictures.findLast((picture) => picture.pieces <= target);
    if (near !== undefined && (target < this.#pieces || near.pieces > this.#pieces)) await this.#restore(near);
    while (this.#pieces < target && this.#wish === null) await this.#write(track, target);
  }

  async #restore(picture: Picture): Promise<void> {
    const { term } = this.#host;
    term.reset();
    term.resize(Math.max(1, picture.cols), Math.max(1, picture.rows));
    await this.#put(picture.screen);
    this.#pieces = picture.pieces;
    this.#since = 0;
  }

  /** Writes pieces up to a change of size, or until it is enough for once. */
  async #write(track: Track, target: number): Promise<void> {
    let text = '';
    while (this.#pieces < target && text.length < AT_ONCE) {
      const piece = track.pieces[this.#pieces];
      if (piece === undefined) break;
      if (piece.code === 'r') {
        if (text !== '') break;
        this.#resize(piece.text);
      } else {
        text += piece.text;
      }
      this.#pieces += 1;
    }
    await this.#put(text);
    this.#since += text.length;
    if (this.#since >= BETWEEN && this.#pieces > (this.#pictures.at(-1)?.pieces ?? 0)) {
      const { cols, rows } = this.#host.term;
      this.#pictures.push({ pieces: this.#pieces, cols, rows, screen: this.#serialize.serialize({ scrollback: 200 }) });
      this.#since = 0;
    }
  }

  #resize(size: string): void {
    const [cols = 0, rows = 0] = size.split('x').map(Number);
    if (cols > 0 && cols <= 1000 && rows > 0 && rows <= 1000) this.#host.term.resize(cols, rows);
  }

  #put(text: string): Promise<void> {
    return new Promise((done) => this.#host.term.write(text, done));
  }
}
