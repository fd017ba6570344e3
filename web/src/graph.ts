// Owns which prompts wait for which, drawn in layers from left to right. Must not: draw.
import type { Prompt, PromptId } from './wire.gen.ts';

export type Node = { id: PromptId; layer: number; row: number };
export type Graph = { nodes: Node[]; edges: { from: Node; to: Node }[]; layers: number; rows: number };

/** Prompts drawn at most. */
export const MOST = 40;

/** Everything that a prompt waits for and that waits for it, however far. */
export function related(prompts: ReadonlyMap<PromptId, Prompt>, id: PromptId): Graph {
  const after = (of: PromptId) => prompts.get(of)?.asked.after ?? [];
  const followers = new Map<PromptId, PromptId[]>();
  for (const prompt of prompts.values()) {
    for (const before of prompt.asked.after) followers.set(before, [...(followers.get(before) ?? []), prompt.id]);
  }
  const members = new Set<PromptId>([id]);
  reach(id, after, members);
  reach(id, (of) => followers.get(of) ?? [], members);

  const layers = new Map<PromptId, number>();
  const layerOf = (of: PromptId, path: ReadonlySet<PromptId>): number => {
    const known = layers.get(of);
    if (known !== undefined) return known;
    // The server refuses circles; a page that has heard only half of a change may still see one.
    const before = after(of).filter((each) => members.has(each) && !path.has(each));
    const layer = before.length === 0 ? 0 : Math.max(...before.map((each) => layerOf(each, new Set([...path, of])))) + 1;
    layers.set(of, layer);
    return layer;
  };
  const filled: number[] = [];
  const nodes = [...members]
    .sort((a, b) => a - b)
    .map((member): Node => {
      const layer = layerOf(member, new Set());
      const row = filled[layer] ?? 0;
      filled[layer] = row + 1;
      return { id: member, layer, row };
    });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = nodes.flatMap((to) =>
    after(to.id).flatMap((before) => {
      const from = byId.get(before);
      return from === undefined ? [] : [{ from, to }];
    }),
  );
  return { nodes, edges, layers: filled.length, rows: Math.max(1, ...filled.map((each) => each ?? 0)) };
}

function reach(from: PromptId, next: (of: PromptId) => readonly PromptId[], members: Set<PromptId>): void {
  const waiting = [...next(from)];
  for (let id = waiting.shift(); id !== undefined && members.size < MOST; id = waiting.shift()) {
    if (members.has(id)) continue;
    members.add(id);
    waiting.push(...next(id));
  }
}
