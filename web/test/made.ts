// What tests are made of: sessions, prompts, requests and events with nothing special about them.
import { newPrompt } from '../src/ask.ts';
import type { Approval, Event, Prompt, Session, State as Word } from '../src/wire.gen.ts';

export function session(name: string, word: Word = 'idle', more: Partial<Session> = {}): Session {
  return {
    id: `id-${name}`,
    name,
    host: 'h',
    host_name: 'host',
    agent: 'claude',
    argv: ['claude'],
    claim: { state: word, source: 'hook', rule: 'r', evidence: 'e', since: 1000, background: false },
    link: 'connected',
    link_since: 0,
    role: null,
    caps: [],
    pool: null,
    moves: 'none',
    interpreter: false,
    paused: false,
    kept: false,
    limited: null,
    context: { dir: '/src', branch: 'main', repo: '/src', env: {}, hash: '' },
    title: '',
    dialog: null,
    prompt: null,
    size: { cols: 80, rows: 24 },
    attached: false,
    keyboard: null,
    last_line: '',
    metrics: {},
    started: 0,
    active: 0,
    exit: null,
    ...more,
  };
}

export function prompt(id: number, more: Partial<Prompt> = {}): Prompt {
  return {
    id,
    asked: newPrompt(`prompt ${id}`),
    state: 'pending',
    hold: null,
    due: id,
    session: null,
    tried: 0,
    attempts: 3,
    attempt: null,
    result: null,
    seen: null,
    created: id,
    changed: id,
    ...more,
  };
}

export const event = (text: string): Event => ({
  at: 0, kind: 'command', severity: 'info', origin: 'tool', rule: 'r', text, fields: {}, offset: 0, fingerprint: text,
});

export function approval(id: number, of: string, more: Partial<Approval> = {}): Approval {
  const dialog = { id: `d${id}`, kind: 'permission' as const, title: `request ${id}`, body: '', options: [], answerable: true, request: null };
  return { id, session: `id-${of}`, dialog, state: 'open', by: null, rule: null, refused: null, opened: id, closed: null, ...more };
}
