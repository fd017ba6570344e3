// Owns which routes the server has: it describes them itself, so that the page asks for nothing that is not there.
// Must not: know what they do.
import { openapi } from './http.ts';

let asked: Promise<ReadonlySet<string>> | null = null;

/** Paths as the server writes them, such as `/v1/tokens/{id}`; none while it cannot be asked. */
export function routes(): Promise<ReadonlySet<string>> {
  asked ??= openapi().then(
    ({ paths }) => new Set(Object.keys(paths)),
    () => {
      asked = null;
      return new Set<string>();
    },
  );
  return asked;
}
