// What a person fills in for a prompt, and which prompts wait for which.
import { describe, expect, test } from 'vitest';
import { newPrompt } from '../src/ask.ts';
import { blanks, fill, formOf, numbers, promptOf } from '../src/compose.ts';
import { MOST, related } from '../src/graph.ts';
import { prompt } from './made.ts';

test('the fields give the prompt that they were made of', () => {
  const asked = { ...newPrompt('do it'), dir: '/src', branch: 'main', after: [3, 4], verify: 'make test', worktree: 'keep' as const, tags: ['t'], env: { A: '1' } };
  expect(promptOf(formOf(asked), asked)).toEqual(asked);
  expect(promptOf({ ...formOf(asked), dir: '  ', after: '' }, asked)).toEqual({ ...asked, dir: null, after: [] });
});

test('numbers of prompts are read as people write them', () => {
  expect(numbers(' 3, #4 4\n5')).toEqual([3, 4, 5]);
  expect(numbers('')).toEqual([]);
  expect(numbers('3; rm')).toBeNull();
});

describe('a template', () => {
  test('asks for each blank once and is filled in literally', () => {
    const text = 'Fix {{ file }} and {{file}} for {{person}}; {{}} {{ {x} }}';
    expect(blanks(text)).toEqual(['file', 'person']);
    expect(fill(text, { file: '$& {{person}}', person: '' })).toBe('Fix $& {{person}} and $& {{person}} for {{person}}; {{}} {{ {x} }}');
  });
  test('has no blank that an object has by itself', () => {
    expect(fill('{{constructor}}', {})).toBe('{{constructor}}');
  });
});

describe('what waits for what', () => {
  const after = (id: number, ...before: number[]) => prompt(id, { asked: { ...newPrompt(''), after: before } });
  const known = (...prompts: ReturnType<typeof prompt>[]) => new Map(prompts.map((each) => [each.id, each]));

  test('is drawn in layers, with all that is related and nothing else', () => {
    const graph = related(known(after(1), after(2, 1), after(3, 1), after(4, 2, 3), after(9)), 2);
    expect(graph.nodes.map(({ id, layer }) => [id, layer])).toEqual([[1, 0], [2, 1], [4, 2]]);
    expect(graph.edges.map(({ from, to }) => [from.id, to.id])).toEqual([[1, 2], [2, 4]]);
    expect(graph.layers).toBe(3);
  });

  test('a prompt that is not known is still drawn; a circle ends', () => {
    expect(related(known(after(2, 1)), 2).nodes.map(({ id }) => id)).toEqual([1, 2]);
    expect(related(known(after(1, 2), after(2, 1)), 1).nodes).toHaveLength(2);
    expect(related(known(), 7)).toEqual({ nodes: [{ id: 7, layer: 0, row: 0 }], edges: [], layers: 1, rows: 1 });
  });

  test('is bounded', () => {
    const chain = Array.from({ length: MOST * 3 }, (_, id) => after(id + 1, ...(id === 0 ? [] : [id])));
    expect(related(known(...chain), 60).nodes.length).toBeLessThanOrEqual(MOST + 1);
  });
});
