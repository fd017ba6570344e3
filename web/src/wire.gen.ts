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

export type Action = "shell" | "edit" | "read" | "fetch" | "other";

export type Moves = "none" | "shell" | "relaunch";

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
arguments: string, 
/**
 * What kind of thing it would do, by the agent's profile.
 */
action: Action, 
/**
 * For a command: its text. Only a whole command that the agent told as such.
 */
command: string | null, 
/**
 * For files: their real paths, absolute, links resolved by the wrapper when it was asked.
 */
paths: Array<string>, };

export type Dialog = { 
/**
 * Hash of kind, body, options, tool and arguments, and the place in the session's output at which it
 * appeared: an answer is bound to it, and a later one that reads the same is another.
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
repo: string | null, 
/**
 * Variables that tasks asked for and that are set, and a few that name an environment (`VIRTUAL_ENV`).
 */
env: { [key in string]: string }, 
/**
 * Hash of the rest, 12 hexadecimal digits: another context is another hash.
 */
hash: string, };

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
 * Role that it declared.
 */
role: string | null, 
/**
 * Capabilities that it declared.
 */
caps: Array<string>, 
/**
 * How it can be brought into another context.
 */
moves: Moves, 
/**
 * Until when its provider's limit of use lasts, as far as it is known.
 */
limited: UnixMillis | null, 
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

export type HoldCode = "not_idle" | "dialog_open" | "draft" | "human_typing" | "composer_unreadable" | "not_seen" | "not_accepted" | "unknown" | "wrong_context" | "session_gone" | "stale_fence" | "text_refused" | "storage" | "person" | "after" | "after_failed" | "rate_limited" | "dirty_tree" | "missing_branch" | "missing_dir" | "prerequisite" | "not_prepared";

export type Step = "leased" | "offered" | "prepared" | "intent" | "written" | "seen" | "submitted" | "accepted" | "started" | "ended" | "verified";

export type Outcome = "completed" | "failed" | "interrupted" | "not_typed" | "unknown" | "timed_out" | "cancelled";

export type Cause = "api_error" | "rate_limited" | "context_exhausted" | "auth" | "refused" | "status" | "exited" | "empty" | "unworked" | "verify_failed" | "silent";

export type WorktreePolicy = "keep" | "remove";

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
 * The same as an instant, when it could be read.
 */
until_at: UnixMillis | null, 
/**
 * What told so: a [`crate::session::Source`] word, `verify` or `server`.
 */
source: string, 
/**
 * What that source saw, cut to 200 characters.
 */
evidence: string, 
/**
 * The agent's last answer, plain text, cut to 64 KiB.
 */
answer: string, 
/**
 * From accepted to ended.
 */
duration_ms: number, 
/**
 * What the command said that was to verify it.
 */
verification: Verification | null, 
/**
 * What changed in the work tree meanwhile, when the task named a directory under git.
 */
changes: Changes | null, 
/**
 * The work tree that was made for it.
 */
worktree: Worktree | null, 
/**
 * What the session reported meanwhile; the server adds it.
 */
summary: Summary | null, };

export type Verification = { 
/**
 * The command, for `sh -c`.
 */
command: string, 
/**
 * Its exit status; `None` when it was ended because it took too long.
 */
status: number | null, 
/**
 * The end of its output, plain text, at most 8 KiB.
 */
output: string, 
/**
 * How long it took.
 */
duration_ms: number, };

export type Changes = { 
/**
 * The commit from which it was counted.
 */
base: string, 
/**
 * Files that differ from it, by path from the root of the repository; at most 500.
 */
files: Array<FileChange>, 
/**
 * The difference as a patch, at most 256 KiB; empty when it was not asked for.
 */
diff: string, 
/**
 * Whether files or patch were cut.
 */
cut: boolean, };

export type FileChange = { 
/**
 * Path from the root of the repository.
 */
path: string, 
/**
 * Git's letter: `A`, `M`, `D`, `R`, `T`, or `?` for one that git does not follow.
 */
status: string, };

export type Worktree = { 
/**
 * Where it is, or was.
 */
path: string, 
/**
 * The branch that was made in it.
 */
branch: string, 
/**
 * Whether it is still there.
 */
kept: boolean, };

export type Summary = { 
/**
 * Files that were edited, as the agent named them; at most 200.
 */
files: Array<string>, 
/**
 * Tests that passed, by the last report of each kind of test run.
 */
tests_passed: number, 
/**
 * Tests that failed.
 */
tests_failed: number, 
/**
 * Errors.
 */
errors: number, 
/**
 * The last error.
 */
last_error: string | null, 
/**
 * Tokens read by the model, when the agent tells.
 */
tokens_in: number | null, 
/**
 * Tokens written by it.
 */
tokens_out: number | null, 
/**
 * Cost in US dollars.
 */
cost_usd: number | null, 
/**
 * Where the time went.
 */
phases: Phases, };

export type Phases = { 
/**
 * From queued to leased, earlier attempts included.
 */
waiting: number, 
/**
 * From leased to accepted.
 */
delivery: number, 
/**
 * From accepted to the turn's end.
 */
running: number, 
/**
 * From the turn's end to the verdict.
 */
verification: number, };

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
 * Variables that must be set for the agent.
 */
env: { [key in string]: string }, 
/**
 * Commands for `sh -c` that must end with 0 before; what they export is set for the agent.
 */
prerequisites: Array<string>, 
/**
 * Run each attempt in a fresh git work tree of `branch`, or of the one checked out.
 */
worktree: WorktreePolicy | null, 
/**
 * Profile that must be running, for example `claude`.
 */
agent: string | null, 
/**
 * Profile that is preferred; another one will do.
 */
prefer: string | null, 
/**
 * Role that the session must have declared.
 */
role: string | null, 
/**
 * Capabilities that the session must have declared.
 */
caps: Array<string>, 
/**
 * Prompts of one thread go to one session, if they can.
 */
thread: string | null, 
/**
 * What kind of task it is: records of success are kept by tag.
 */
tags: Array<string>, 
/**
 * Prompts that must be completed before.
 */
after: Array<PromptId>, 
/**
 * Not offered before this instant.
 */
not_before: UnixMillis | null, 
/**
 * Command for `sh -c` that decides, in the task's directory, whether it was done.
 */
verify: string | null, 
/**
 * Longest wait for a session; 24 hours when absent.
 */
wait_ms: number | null, 
/**
 * Longest time from leased to accepted; 10 minutes when absent.
 */
accept_ms: number | null, 
/**
 * Longest time from accepted to ended; 30 minutes when absent.
 */
timeout_ms: number | null, 
/**
 * Longest time without a sign of progress in a turn; 30 minutes when absent.
 */
silence_ms: number | null, 
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
 * What was asked, with the text cleaned and the defaults filled in.
 */
asked: NewPrompt, 
/**
 * Where it is in its life.
 */
state: PromptState, 
/**
 * Why it is held, what it waits for, or why the last offer was refused.
 */
hold: Hold | null, 
/**
 * When it may be offered next by itself.
 */
due: UnixMillis | null, 
/**
 * Session that has it or had it last.
 */
session: SessionId | null, 
/**
 * Tries so far; refusals by the gate do not count.
 */
tried: number, 
/**
 * Tries in all; a person's wish for another adds to what was asked.
 */
attempts: number, 
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

export type ApprovalId = number;

export type ApprovalState = "open" | "answering" | "approved" | "denied" | "answered" | "gone";

export type Effect = "approve" | "deny" | "ask";

export type Root = "session" | "repo";

export type Approval = { 
/**
 * Identity.
 */
id: ApprovalId, 
/**
 * Which session asks.
 */
session: SessionId, 
/**
 * What; its `id` is what an answer is bound to.
 */
dialog: Dialog, 
/**
 * What became of it.
 */
state: ApprovalState, 
/**
 * Who answered: `cli`, `browser`, or `rule` with the rule's name.
 */
by: string | null, 
/**
 * What the rules said when it came, with the rule's name; absent when none matched.
 */
rule: string | null, 
/**
 * Why the last answer was refused.
 */
refused: string | null, 
/**
 * When it appeared.
 */
opened: UnixMillis, 
/**
 * When it was over.
 */
closed: UnixMillis | null, };

export type Rule = { 
/**
 * What it is called, in logs and lists; unique in its file.
 */
name: string, 
/**
 * What it says.
 */
effect: Effect, 
/**
 * Agents that it is for.
 */
agents: Array<string>, 
/**
 * Roles that it is for, as sessions declared them; `""` is a session without one.
 */
roles: Array<string>, 
/**
 * Names of sessions that it is for.
 */
sessions: Array<string>, 
/**
 * Kinds of what would be done.
 */
actions: Array<Action>, 
/**
 * The agent's own names of tools.
 */
tools: Array<string>, 
/**
 * For commands, argument by argument: `*` is one argument that is no option, `...` at the end is any
 * number of any. A command line of several commands matches to approve when each of them does, and to deny
 * when one of them does.
 */
commands: Array<Array<string>>, 
/**
 * All its paths must lie under this; of a command, all its arguments that look like paths.
 */
under: Root | null, };

export type Policies = { 
/**
 * Grows with each change; 0: none were ever set.
 */
version: number, 
/**
 * When they were set.
 */
at: UnixMillis | null, 
/**
 * By whom.
 */
by: string | null, 
/**
 * As they were written, TOML.
 */
text: string, 
/**
 * As they were understood.
 */
rules: Array<Rule>, };

export type PolicyText = { 
/**
 * A [`RuleFile`] as TOML; empty: no rules.
 */
text: string, };

export type PolicyTrial = { 
/**
 * A [`RuleFile`] as TOML; absent: the rules in force.
 */
text: string | null, };

export type Verdict = { 
/**
 * The request.
 */
approval: Approval, 
/**
 * What the rules say now.
 */
effect: Effect, 
/**
 * The rule that said so.
 */
rule: string | null, 
/**
 * Why no rule could say anything, when the request has no structure to judge.
 */
why: string | null, };

export type Choice = { "type": "approve" } | { "type": "deny" } | { "type": "option", 
/**
 * From 0.
 */
index: number, };

export type ErrorCode = "bad_request" | "unauthorized" | "forbidden" | "not_found" | "wrong_method" | "conflict" | "too_large" | "misdirected" | "slow_down" | "internal" | "no_answer" | "storage";

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

export type RecordingPart = { 
/**
 * The first byte of the output that is here.
 */
from: number, 
/**
 * The byte after the last that is here: ask on from there.
 */
next: number, 
/**
 * How many bytes there are up to now.
 */
end: number, 
/**
 * Terminal size at `from`.
 */
size: Size, 
/**
 * What happened: seconds since the session's start, `o` for output or `r` for a new size, and the text.
 */
events: Array<[number, string, string]>, };

export type Edit = { 
/**
 * The whole prompt anew: checked as a new one is.
 */
asked: NewPrompt | null, 
/**
 * Its place in the queue.
 */
priority: number | null, 
/**
 * What must be completed before; cycles are refused.
 */
after: Array<PromptId> | null, 
/**
 * Not offered before.
 */
not_before: UnixMillis | null, };

export type Selection = { 
/**
 * In this state.
 */
state: PromptState | null, 
/**
 * Had by this session, or asked for it; name or id.
 */
session: string | null, 
/**
 * With this tag.
 */
tag: string | null, 
/**
 * Of this thread.
 */
thread: string | null, 
/**
 * Unchanged for this long, in milliseconds.
 */
older_ms: number | null, };

export type Counted = { 
/**
 * So many.
 */
count: number, };

export type Plan = { 
/**
 * In the order in which prompts would be looked at.
 */
prompts: Array<Planned>, 
/**
 * Prompts that were not looked at, because there are too many.
 */
more: number, };

export type Planned = { 
/**
 * Which.
 */
prompt: PromptId, 
/**
 * The beginning of its text.
 */
text: string, 
/**
 * Who would get it now.
 */
session: SessionId | null, 
/**
 * Why nobody would, or why it would wait.
 */
waits: string | null, 
/**
 * How the sessions scored.
 */
scores: Array<Score>, };

export type ContextRow = { 
/**
 * Since when.
 */
at: UnixMillis, 
/**
 * What it was.
 */
context: Context, };

export type AuditEntry = { 
/**
 * Number, from 1.
 */
seq: number, 
/**
 * When.
 */
at: UnixMillis, 
/**
 * Who: `cli`, `browser`, `rule NAME`, `server`.
 */
by: string, 
/**
 * What, for example `prompt.cancel`.
 */
what: string, 
/**
 * To what, for example `prompt 42`.
 */
on: string, 
/**
 * The rest, as JSON.
 */
detail: string, 
/**
 * SHA-256 over the hash of the entry before and this one's fields, hexadecimal.
 */
hash: string, };

export type Audit = { 
/**
 * Newest first.
 */
entries: Array<AuditEntry>, 
/**
 * Whether the chain of hashes holds from the first entry to the last; absent when it was not checked.
 */
whole: boolean | null, };

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
prompts: Array<Prompt>, 
/**
 * Everything that agents ask and nobody has answered.
 */
approvals: Array<Approval>, } | { "type": "session", 
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
prompt: Prompt, } | { "type": "prompt_gone", 
/**
 * Which.
 */
prompt: PromptId, } | { "type": "approval", 
/**
 * As it is now.
 */
approval: Approval, } | { "type": "event", 
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
