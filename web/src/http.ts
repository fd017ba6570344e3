// Owns requests to the server and what their failures say. Must not: retry by itself or keep anything.
import type {
  Alert,
  Answer,
  Attempt,
  Audit,
  Choice,
  Claim,
  ContextRow,
  Counted,
  Done,
  Edit,
  ErrorBody,
  EventRow,
  Events,
  Found,
  HostRow,
  Insight,
  MadeToken,
  Me,
  NewPool,
  NewPrompt,
  NewSink,
  NewToken,
  Planned,
  Policies,
  PolicyExample,
  Pool,
  Prompt,
  PromptDetail,
  PromptId,
  Reassign,
  RecordingPart,
  Routing,
  Selection,
  Session,
  SessionId,
  Sink,
  Template,
  TokenRow,
  Verdict,
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

/** Words of a query; what is empty or unknown is left out. */
type Query = Record<string, string | number | boolean | null | undefined>;

const at = (path: string, query: Query): string => {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') words.set(name, String(value));
  }
  return words.size === 0 ? path : `${path}?${words}`;
};
const of = (what: string, id: string | number): string => `/v1/${what}/${encodeURIComponent(id)}`;

// Sessions.
export const answerDialog = (session: SessionId, dialog: string, choice: Choice): Promise<Done> =>
  request('POST', `${of('sessions', session)}/answer`, { dialog, choice } satisfies Answer);
export const oneSession = (id: SessionId): Promise<Session> => request('GET', of('sessions', id));
export const sessionEvents = (session: SessionId, limit: number, after?: number): Promise<EventRow[]> =>
  request('GET', at(`${of('sessions', session)}/events`, { limit, after }));
export const sessionStates = (session: SessionId, limit: number): Promise<Claim[]> =>
  request('GET', at(`${of('sessions', session)}/states`, { limit }));
export const sessionContexts = (session: SessionId, limit: number): Promise<ContextRow[]> =>
  request('GET', at(`${of('sessions', session)}/contexts`, { limit }));
export const sessionAttempts = (session: SessionId, limit: number): Promise<Attempt[]> =>
  request('GET', at('/v1/attempts', { session, limit }));
export const recordingPart = (session: SessionId, from: number, length: number): Promise<RecordingPart> =>
  request('GET', at(`${of('sessions', session)}/recording`, { from, length }));

// Prompts. The same key twice queues one prompt.
export const queuePrompt = (prompt: NewPrompt, key: string): Promise<Prompt> =>
  request('POST', '/v1/prompts', prompt, { 'Idempotency-Key': key });
export const prompts = (query: Query): Promise<Prompt[]> => request('GET', at('/v1/prompts', query));
export const promptDetail = (id: PromptId): Promise<PromptDetail> => request('GET', of('prompts', id));
export const cancelPrompt = (id: PromptId): Promise<Prompt> => request('POST', `${of('prompts', id)}/cancel`, {});
export const retryPrompt = (id: PromptId): Promise<Prompt> => request('POST', `${of('prompts', id)}/retry`, {});
export const reassignPrompt = (id: PromptId, target: string | null): Promise<Prompt> =>
  request('POST', `${of('prompts', id)}/reassign`, { target } satisfies Reassign);
export const editPrompt = (id: PromptId, edit: Partial<Edit>): Promise<Prompt> => request('PATCH', of('prompts', id), edit);
export const cancelPrompts = (ids: PromptId[]): Promise<Counted> => request('POST', '/v1/prompts/cancel', these(ids));
export const retryPrompts = (ids: PromptId[]): Promise<Counted> => request('POST', '/v1/prompts/retry', these(ids));
export const seenPrompts = (ids: PromptId[]): Promise<Counted> => request('POST', '/v1/prompts/seen', these(ids));
/** Who would get it, without sending it. */
export const planPrompt = (prompt: NewPrompt): Promise<Planned> => request('POST', '/v1/plan', prompt);
const these = (ids: PromptId[]): Partial<Selection> => ({ ids });

// Looking for things.
export const search = (query: Query): Promise<Found> => request('GET', at('/v1/search', query));
export const events = (query: Query): Promise<Events> => request('GET', at('/v1/events', query));
export const insight = (query: Query): Promise<Insight> => request('GET', at('/v1/insight', query));

// Administration.
export const openapi = (): Promise<{ paths: Record<string, unknown> }> => request('GET', '/v1/openapi.json');
/** Ends what this browser may. */
export const logout = (): Promise<Done> => request('POST', '/v1/logout', {});
export const me = (): Promise<Me> => request('GET', '/v1/me');
export const pauseRouting = (paused: boolean, session?: SessionId): Promise<Routing> =>
  request('POST', session === undefined ? '/v1/routing' : `${of('sessions', session)}/routing`, { paused } satisfies Routing);
export const hosts = (): Promise<HostRow[]> => request('GET', '/v1/hosts');
export const tokens = (): Promise<TokenRow[]> => request('GET', '/v1/tokens');
export const makeToken = (token: NewToken): Promise<MadeToken> => request('POST', '/v1/tokens', token);
export const revokeToken = (id: string): Promise<Done> => request('DELETE', of('tokens', id));
export const templates = (): Promise<Template[]> => request('GET', '/v1/templates');
export const saveTemplate = (template: Template): Promise<Template> => request('PUT', of('templates', template.name), template);
export const dropTemplate = (name: string): Promise<Done> => request('DELETE', of('templates', name));
export const policies = (): Promise<Policies> => request('GET', '/v1/policies');
export const setPolicies = (text: string): Promise<Policies> => request('PUT', '/v1/policies', { text });
export const testPolicies = (text: string | null, limit: number): Promise<Verdict[]> =>
  request('POST', at('/v1/policies/test', { limit }), { text });
export const policyExamples = (): Promise<PolicyExample[]> => request('GET', '/v1/policies/examples');
export const audit = (query: Query): Promise<Audit> => request('GET', at('/v1/audit', query));
export const pools = (): Promise<Pool[]> => request('GET', '/v1/pools');
export const savePool = (pool: NewPool): Promise<Pool> => request('PUT', of('pools', pool.name), pool);
export const dropPool = (name: string): Promise<Done> => request('DELETE', of('pools', name));
export const sinks = (): Promise<Sink[]> => request('GET', '/v1/sinks');
export const saveSink = (sink: NewSink): Promise<Sink> => request('PUT', of('sinks', sink.name), sink);
export const dropSink = (name: string): Promise<Done> => request('DELETE', of('sinks', name));
export const testSink = (name: string): Promise<Done> => request('POST', `${of('sinks', name)}/test`, {});
export const alerts = (query: Query): Promise<Alert[]> => request('GET', at('/v1/alerts', query));

async function request<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object, headers: HeadersInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // The server takes no change without it: a form of another page could not send it.
      headers: { Accept: 'application/json', ...(method === 'GET' ? {} : { 'Content-Type': 'application/json' }), ...headers },
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
