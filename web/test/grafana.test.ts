// The dashboard for Grafana, by what Grafana's own types say that one is. Must not: check what it asks; promtool does.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';
import { expect, test } from 'vitest';

const near = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test('the dashboard for Grafana is one by Grafana’s own schema', { timeout: 120_000 }, () => {
  const path = near('../node_modules/@grafana/schema/dist/types/veneer/dashboard.types.d.ts');
  // Inlined, as two of its types share a name.
  const types = createGenerator({ path, tsconfig: near('../tsconfig.json'), skipTypeCheck: true, expose: 'none' });
  const check = new Ajv({ strict: false, allErrors: true }).compile(types.createSchema('Dashboard') as object);
  check(JSON.parse(readFileSync(near('../../scripts/grafana/muster.json'), 'utf8')));
  expect(check.errors ?? []).toEqual([]);
});
