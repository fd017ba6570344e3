// Starts the Chromium of this machine for what looks at the dashboard: pictures and measurements. CHROMIUM names another.
// Must not: know a page.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/google-chrome'];

/** A headless browser; more arguments are its own. */
export function launch(...args) {
  const executablePath = process.env['CHROMIUM'] ?? PATHS.find((path) => existsSync(path));
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...args] });
}
