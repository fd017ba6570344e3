// Owns how the dashboard is built: hashed files under assets/, nothing inlined, nothing from elsewhere.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { favicons } from './favicon.ts';

/** A running server for `npm run dev`; its cookie has to be there already. */
const server = process.env['MUSTER_URL'] ?? 'http://127.0.0.1:8151';

export default defineConfig({
  plugins: [svelte({ configFile: false }), favicons()],
  build: {
    target: 'es2022',
    // The security policy allows no data: addresses and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    // What the licences of the packages in the bundle ask for.
    license: { fileName: 'licenses.txt' },
  },
  server: { proxy: { '/v1': { target: server, ws: true }, '/login': server } },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
