// Generated from the crate `wire` by `cargo test -p tidy`; do not edit.

export type SessionId = string;

export type HostId = string;

export type PromptId = number;

export type AttemptId = number;

export type UnixMillis = number;

export type State = "starting" | "idle" | "busy" | "waiting_permission" | "waiting_input" | "exited" | "unknown";

export type Source = "exit" | "hook" | "status" | "terminal" | "screen" | "input" | "silence";

export type Link = "connected" | "disconnected";

export type DialogKind = "permission" | "question" | "trust" | "plan" | "login" | "other";

export type Claim = { 
/**
 * The state.
 */
state: State, 
/**
 * What kind of evidence it rests on.
 */
source: Source, 
/**
 * The rule that matched, for example `claude.title.busy`.
 */
rule: string, 
/**
 * What the rule saw, cut to 200 characters.
 */
evidence: string, 
/**
 * When the state began.
 */
since: UnixMillis, 
/**
 * Idle, but work goes on in the background.
 */
background: boolean, };

export type DialogOption = { 
/**
 * Place in the list, from 0.
 */
index: number, 
/**
 * Its text.
 */
label: string, 
/**
 * Whether it is highlighted now.
 */
selected: boolean, };

export type ToolRequest = { 
/**
 * The tool's name.
 */
tool: string, 
/**
 * What it would work on: a command, a file.
 */
detail: string, 
/**
 * All its arguments, as JSON; at most 16,000 characters.
 */
arguments: string, };

export type Dialog = { 
/**
 * Hash of kind, body and options: an answer is bound to it.
 */
id: string, 
/**
 * What it asks for.
 */
kind: DialogKind, 
/**
 * First line, for lists.
 */
title: string, 
/**
 * The whole request, lines joined by `\n`.
 */
body: string, 
/**
 * What can be chosen; empty when the profile does not know.
 */
options: Array<DialogOption>, 
/**
 * Whether `approve` and `deny` are known for it.
 */
answerable: boolean, 
/**
 * The structured request behind it, when the agent told it.
 */
request: ToolRequest | null, };

export type Context = { 
/**
 * Working directory of the agent's process, absolute.
 */
dir: string, 
/**
 * Branch of the repository at `dir`; `None` outside one or with a detached head.
 */
branch: string | null, 
/**
 * Root of the repository at `dir`.
 */
repo: string | null, };

export type Size = { 
/**
 * Columns.
 */
cols: number, 
/**
 * Rows.
 */
rows: number, };

export type Exit = { "how": "code", 
/**
 * 0 to 255.
 */
code: number, } | { "how": "signal", 
/**
 * The signal's number.
 */
signal: number, };

export type Session = { 
/**
 * Identity.
 */
id: SessionId, 
/**
 * Unique among the live sessions of its host.
 */
name: string, 
/**
 * Where it runs.
 */
host: HostId, 
/**
 * Name of that host.
 */
host_name: string, 
/**
 * Profile in use, for example `claude`.
 */
agent: string, 
/**
 * The command, argument by argument.
 */
argv: Array<string>, 
/**
 * What it is doing.
 */
claim: Claim, 
/**
 * Whether its wrapper is connected.
 */
link: Link, 
/**
 * Since when the link is as it is.
 */
link_since: UnixMillis, 
/**
 * Where it works.
 */
context: Context, 
/**
 * Window title, as text.
 */
title: string, 
/**
 * What it asks, if it asks.
 */
dialog: Dialog | null, 
/**
 * The prompt it works on.
 */
prompt: PromptId | null, 
/**
 * Terminal size.
 */
size: Size, 
/**
 * Whether a user's terminal is attached.
 */
attached: boolean, 
/**
 * Who holds the keyboard from a dashboard, if anyone.
 */
keyboard: string | null, 
/**
 * The last settled line of its screen.
 */
last_line: string, 
/**
 * Latest figures by name: `tokens_in`, `tokens_out`, `cost_usd`, `context_left_percent`.
 */
metrics: { [key in string]: number }, 
/**
 * When the program started.
 */
started: UnixMillis, 
/**
 * When anything last changed.
 */
active: UnixMillis, 
/**
 * How it ended.
 */
exit: Exit | null, };

export type EventKind = "error" | "stack_trace" | "test_result" | "build" | "file_edit" | "file_read" | "command" | "code_block" | "tool_call" | "metric" | "url" | "git" | "permission" | "session";

export type Severity = "info" | "warning" | "error";

export type Origin = "tool" | "agent" | "user" | "unknown";

export type Event = { 
/**
 * When.
 */
at: UnixMillis, 
/**
 * What it is about.
 */
kind: EventKind, 
/**
 * How much it matters.
 */
severity: Severity, 
/**
 * Who said it.
 */
origin: Origin, 
/**
 * The rule that found it.
 */
rule: string, 
/**
 * The line it was found in, cut to 500 characters.
 */
text: string, 
/**
 * What the rule captured, by name.
 */
fields: { [key in string]: string }, 
/**
 * Byte offset in the recording's output.
 */
offset: number, 
/**
 * Same for repeats of the same thing.
 */
fingerprint: string, };

export type PromptState = "pending" | "assigned" | "in_progress" | "held" | "completed" | "failed" | "cancelled";

export type HoldCode = "not_idle" | "dialog_open" | "draft" | "human_typing" | "composer_unreadable" | "not_seen" | "not_accepted" | "unknown" | "wrong_context" | "session_gone" | "stale_fence" | "text_refused" | "storage" | "person";

export type Step = "leased" | "offered" | "intent" | "written" | "seen" | "submitted" | "accepted" | "started" | "ended";

export type Outcome = "completed" | "failed" | "interrupted" | "not_typed" | "unknown" | "timed_out" | "cancelled";

export type Cause = "api_error" | "rate_limited" | "context_exhausted" | "auth" | "refused" | "status" | "exited" | "empty";

export type Hold = { 
/**
 * The reason, for programs.
 */
code: HoldCode, 
/**
 * The reason and what to do, for people.
 */
text: string, };

export type PromptResult = { 
/**
 * How it ended.
 */
outcome: Outcome, 
/**
 * Why, for people.
 */
reason: string, 
/**
 * Why it failed, for programs.
 */
cause: Cause | null, 
/**
 * When a limit of use ends, as the agent put it.
 */
until: string | null, 
/**
 * What told so: a [`crate::session::Source`] word, `verify` or `server`.
 */
source: string, 
/**
 * The agent's last answer, plain text, cut to 64 KiB.
 */
answer: string, 
/**
 * From accepted to ended.
 */
duration_ms: number, };

export type Receipt = { 
/**
 * The step.
 */
step: Step, 
/**
 * When it was reached, by the wrapper's clock.
 */
at: UnixMillis, };

export type Attempt = { 
/**
 * Identity.
 */
id: AttemptId, 
/**
 * What is tried.
 */
prompt: PromptId, 
/**
 * Where.
 */
session: SessionId, 
/**
 * Grows with each lease of the session; a wrapper refuses what is not newer.
 */
fence: number, 
/**
 * 1 for the first try of the prompt.
 */
number: number, 
/**
 * How far it came.
 */
receipts: Array<Receipt>, 
/**
 * How it ended.
 */
result: PromptResult | null, };

export type NewPrompt = { 
/**
 * What to type; cleaned by [`crate::text::clean_prompt`].
 */
text: string, 
/**
 * A session's name or id; `None` lets the router choose.
 */
target: string | null, 
/**
 * 0 (last) to 10 (first).
 */
priority: number, 
/**
 * Absolute directory the session must work in.
 */
dir: string | null, 
/**
 * Branch that must be checked out there.
 */
branch: string | null, 
/**
 * Profile that must be running, for example `claude`.
 */
agent: string | null, 
/**
 * Longest time from accepted to ended; 30 minutes when absent.
 */
timeout_ms: number | null, 
/**
 * Tries in all; 3 when absent.
 */
attempts: number | null, 
/**
 * Send a leading `/`, `!`, `#` or `@` as the agent's own command instead of as text.
 */
command: boolean, };

export type Prompt = { 
/**
 * Identity.
 */
id: PromptId, 
/**
 * What to type, cleaned.
 */
text: string, 
/**
 * Where it is in its life.
 */
state: PromptState, 
/**
 * Why it is held, or why the last offer was refused.
 */
hold: Hold | null, 
/**
 * Session asked for, by name or id.
 */
target: string | null, 
/**
 * Session that has it or had it last.
 */
session: SessionId | null, 
/**
 * 0 (last) to 10 (first).
 */
priority: number, 
/**
 * Directory asked for.
 */
dir: string | null, 
/**
 * Branch asked for.
 */
branch: string | null, 
/**
 * Profile asked for.
 */
agent: string | null, 
/**
 * Longest time from accepted to ended.
 */
timeout_ms: number, 
/**
 * Tries so far; refusals by the gate do not count.
 */
tried: number, 
/**
 * Tries in all.
 */
attempts: number, 
/**
 * See [`NewPrompt::command`].
 */
command: boolean, 
/**
 * The latest attempt, with its receipts.
 */
attempt: Attempt | null, 
/**
 * What came of it, once it is final.
 */
result: PromptResult | null, 
/**
 * When it was queued.
 */
created: UnixMillis, 
/**
 * When anything last changed.
 */
changed: UnixMillis, };

export type Score = { 
/**
 * The session.
 */
session: SessionId, 
/**
 * Its name.
 */
name: string, 
/**
 * Why it cannot have the prompt, if it cannot.
 */
refused: string | null, 
/**
 * Points by criterion, for example `same directory +20`.
 */
points: Array<ScorePoint>, 
/**
 * Sum of the points.
 */
total: number, };

export type ScorePoint = { 
/**
 * What was met.
 */
what: string, 
/**
 * Its weight.
 */
points: number, };

export type Choice = { "type": "approve" } | { "type": "deny" } | { "type": "option", 
/**
 * From 0.
 */
index: number, };

export type ErrorCode = "bad_request" | "unauthorized" | "forbidden" | "not_found" | "conflict" | "too_large" | "misdirected" | "slow_down" | "internal" | "no_answer" | "storage";

export type ErrorBody = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * What was attempted, on what, and what went wrong.
 */
message: string, 
/**
 * What to do.
 */
hint: string, 
/**
 * Whether the same request may succeed later.
 */
retry: boolean, };

export type Done = { 
/**
 * Always true.
 */
done: boolean, };

export type Status = { 
/**
 * Version.
 */
version: string, 
/**
 * When it started.
 */
started: UnixMillis, 
/**
 * Where the dashboard is.
 */
url: string, 
/**
 * Live sessions by state word.
 */
sessions: { [key in string]: number }, 
/**
 * Prompts by state word.
 */
prompts: { [key in string]: number }, };

export type LoginLink = { 
/**
 * Open it within `expires_s`; it works once.
 */
url: string, 
/**
 * Seconds.
 */
expires_s: number, };

export type Answer = { 
/**
 * [`crate::session::Dialog::id`]; `None` takes the one that is open when the server looks.
 */
dialog: string | null, 
/**
 * The choice.
 */
choice: Choice, };

export type Reassign = { 
/**
 * Its name or id; `None` lets the router choose.
 */
target: string | null, };

export type EventRow = { 
/**
 * Sequence number in the session.
 */
seq: number, 
/**
 * What.
 */
event: Event, };

export type PromptDetail = { 
/**
 * The prompt.
 */
prompt: Prompt, 
/**
 * All tries, oldest first.
 */
attempts: Array<Attempt>, 
/**
 * How sessions scored when it was last routed.
 */
scores: Array<Score>, };

export type ToViewer = { "type": "hello", 
/**
 * Version of the conversation.
 */
protocol: number, 
/**
 * Version of the server.
 */
version: string, 
/**
 * Hash of the dashboard's files in the server: a page built from others asks for a reload.
 */
build: string, 
/**
 * The server's clock.
 */
now: UnixMillis, 
/**
 * What this viewer is called in [`Session::keyboard`] when it holds one.
 */
viewer: string, } | { "type": "everything", 
/**
 * All live sessions, and those that ended within the last hour.
 */
sessions: Array<Session>, 
/**
 * All prompts that are not final, and the latest 200 that are.
 */
prompts: Array<Prompt>, } | { "type": "session", 
/**
 * As it is now.
 */
session: Session, } | { "type": "session_gone", 
/**
 * Which.
 */
session: SessionId, } | { "type": "prompt", 
/**
 * As it is now.
 */
prompt: Prompt, } | { "type": "event", 
/**
 * Which session.
 */
session: SessionId, 
/**
 * Its sequence number there.
 */
seq: number, 
/**
 * What.
 */
event: Event, } | { "type": "refused", 
/**
 * What was asked.
 */
what: string, 
/**
 * Why, and what to do.
 */
why: string, };

export type FromViewer = { "type": "watch", 
/**
 * Which session.
 */
session: SessionId, 
/**
 * Chosen by the viewer, unique on its connection.
 */
stream: number, } | { "type": "unwatch", 
/**
 * Which.
 */
stream: number, } | { "type": "take_keyboard", 
/**
 * Which session.
 */
session: SessionId, } | { "type": "release_keyboard", 
/**
 * Which session.
 */
session: SessionId, } | { "type": "keys", 
/**
 * Which session.
 */
session: SessionId, 
/**
 * Key presses, or a paste that was cleaned.
 */
text: string, };
