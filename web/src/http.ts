// Owns requests to the server and what their failures say. Must not: retry by itself or keep anything.
import type {
  Answer,
  Choice,
  Done,
  ErrorBody,
  EventRow,
  NewPrompt,
  Prompt,
  PromptDetail,
  Reassign,
  SessionId,
} from './wire.gen.ts';

/** A request that was not done, in words for the person who made it. */
export class Refused extends Error {
  readonly hint: string;
  readonly status: number;

  constructor(status: number, message: string, hint: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** Any failure as something that can be shown. */
export function refusal(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(0, String(error), '');
}

export const answerDialog = (session: SessionId, dialog: string, choice: Choice): Promise<Done> =>
  request('POST', `/v1/sessions/${encodeURIComponent(session)}/answer`, { dialog, choice } satisfies Answer);

export const sessionEvents = (session: SessionId, limit: number): Promise<EventRow[]> =>
  request('GET', `/v1/sessions/${encodeURIComponent(session)}/events?limit=${limit}`);

/** The same key twice queues one prompt. */
export const queuePrompt = (prompt: NewPrompt, key: string): Promise<Prompt> =>
  request('POST', '/v1/prompts', prompt, { 'Idempotency-Key': key });

export const promptDetail = (id: number): Promise<PromptDetail> => request('GET', `/v1/prompts/${id}`);

export const cancelPrompt = (id: number): Promise<Prompt> => request('POST', `/v1/prompts/${id}/cancel`, {});

export const retryPrompt = (id: number): Promise<Prompt> => request('POST', `/v1/prompts/${id}/retry`, {});

export const reassignPrompt = (id: number, target: string | null): Promise<Prompt> =>
  request('POST', `/v1/prompts/${id}/reassign`, { target } satisfies Reassign);

async function request<T>(method: 'GET' | 'POST', path: string, body?: object, headers: HeadersInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    });
  } catch {
    throw new Refused(0, 'The server cannot be reached.', 'Start it with `assigner serve`; sessions go on without it.');
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as T;
  if (isErrorBody(answer)) throw new Refused(response.status, answer.message, answer.hint);
  if (response.status === 401) throw new Refused(401, 'This browser is not logged in.', 'Run `assign login` and open its link.');
  throw new Refused(response.status, `The server answered ${response.status}.`, 'Its log says more.');
}

function isErrorBody(value: unknown): value is ErrorBody {
  return typeof value === 'object' && value !== null && 'message' in value && 'hint' in value;
}
