// A prompt that asks for nothing but its text. Must not: know what a form holds.
import type { NewPrompt } from './wire.gen.ts';

export function newPrompt(text: string): NewPrompt {
  return {
    text,
    target: null,
    priority: 5,
    dir: null,
    branch: null,
    env: {},
    prerequisites: [],
    worktree: null,
    agent: null,
    prefer: null,
    role: null,
    caps: [],
    thread: null,
    tags: [],
    after: [],
    not_before: null,
    verify: null,
    wait_ms: null,
    accept_ms: null,
    timeout_ms: null,
    silence_ms: null,
    attempts: null,
    command: false,
    prose: false,
  };
}
