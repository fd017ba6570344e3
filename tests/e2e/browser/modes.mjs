// Which modes of xterm.js some output leaves changed. Reads names of files, a line each; writes a JSON array for each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../../web/package.json", import.meta.url));
const { Terminal } = require("@xterm/headless");

/** Everything about a terminal that a program can leave behind. */
function state(terminal) {
  return {
    ...terminal.modes,
    buffer: terminal.buffer.active.type,
    // There is no public way to ask for these two.
    cursorHidden: terminal._core.coreService.isCursorHidden,
    pen: terminal._core._inputHandler._curAttrData.fg,
  };
}

function show(bytes) {
  const terminal = new Terminal({ cols: 100, rows: 30, allowProposedApi: true });
  return new Promise((done) => terminal.write(bytes, () => done(state(terminal))));
}

const fresh = await show("");
for await (const file of createInterface({ input: process.stdin })) {
  const now = await show(readFileSync(file));
  const changed = Object.keys(fresh).filter((name) => now[name] !== fresh[name]);
  console.log(JSON.stringify(changed.map((name) => `${name} ${now[name]}`)));
}
