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
 * The pool that it was started for.
 */
pool: string | null, 
/**
 * How it can be brought into another context.
 */
moves: Moves, 
/**
 * Whether it runs what it is given, line by line, as commands: a shell.
 */
interpreter: boolean, 
/**
 * Whether it is given no prompts until a person says otherwise.
 */
paused: boolean, 
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
 * Whether the person at its terminal keeps others from typing.
 */
kept: boolean, 
/**
 * Who holds the keyboard from a dashboard, if anyone.
 */
keyboard: string | null, 
/**
 * The last settled line of its screen.
 */
last_line: string, 
/**
 * Latest figures by name: `tokens_in`, `tokens_out`, `cost_usd`, `context_left_percent`; `tokens_in@MODEL` and
 * `tokens_out@MODEL` are those of one model.
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
 * The same tokens by model, when the agent tells which; at most 16.
 */
models: Array<ModelUse>, 
/**
 * Where the time went.
 */
phases: Phases, };

export type ModelUse = { 
/**
 * Its name, as the agent tells it.
 */
model: string, 
/**
 * Tokens read.
 */
tokens_in: number, 
/**
 * Tokens written.
 */
tokens_out: number, 
/**
 * What it cost in US dollars, when the agent tells.
 */
cost_usd: number | null, };

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
result: PromptResult | null, 
/**
 * What its agent last said of it.
 */
progress?: Progress, };

export type Progress = { 
/**
 * What it does, in its own words.
 */
text: string, 
/**
 * How much of it is done.
 */
percent: number | null, 
/**
 * When it said so.
 */
at: UnixMillis, };

export type Parent = { 
/**
 * The name of the agent's credential.
 */
by: string, 
/**
 * The prompt that the agent worked on, if it did.
 */
prompt: PromptId | null, 
/**
 * How many agents are between it and a person.
 */
depth: number, };

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
 * It is meant as a command: a leading `/`, `!`, `#` or `@` is the agent's own, and a shell may have it without being asked for.
 */
command: boolean, 
/**
 * It is words and nothing else: no shell gets it, not even one that is asked for.
 */
prose: boolean, };

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
 * When a person took note of how it ended.
 */
seen: UnixMillis | null, 
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
closed: UnixMillis | null, 
/**
 * Who asks, when it stands in no terminal: an agent, by the name of its credential. The option that was chosen
 * is the one that is `selected`.
 */
asked_by?: string, 
/**
 * What a person answered in words of their own, where the agent asked beside its terminal.
 */
words?: string, };

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

export type PolicyExample = { 
/**
 * What it is called.
 */
name: string, 
/**
 * A [`RuleFile`] as TOML.
 */
text: string, };

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
index: number, } | { "type": "words", 
/**
 * At most 4,000 characters.
 */
text: string, };

export type ErrorCode = "bad_request" | "unauthorized" | "forbidden" | "not_found" | "wrong_method" | "conflict" | "too_large" | "misdirected" | "slow_down" | "out_of_bounds" | "internal" | "no_answer" | "storage";

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
 * Whether no prompts are given out.
 */
paused: boolean, 
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
 * [`crate::session::Dialog::id`]; there is no answer without it, as another
 * dialog may have come meanwhile.
 */
dialog: string, 
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
scores: Array<Score>, 
/**
 * Where it comes from, when an agent queued it.
 */
parent?: Parent, 
/**
 * The trace that tells of it, as OpenTelemetry writes it: 32 hexadecimal digits.
 */
trace: string, };

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
 * One of these; at most 10,000.
 */
ids: Array<PromptId> | null, 
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
 * Queued under an idempotency key that begins so.
 */
key: string | null, 
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
 * Who: `cli`, `browser`, `token NAME`, `rule NAME`, `server`.
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

export type FoundEvent = { 
/**
 * The order in which events came in, over all sessions; no number is used twice.
 */
id: number, 
/**
 * In which session.
 */
session: SessionId, 
/**
 * That session's name.
 */
session_name: string, 
/**
 * Sequence number there.
 */
seq: number, 
/**
 * What.
 */
event: Event, };

export type Events = { 
/**
 * At most as many as were asked for.
 */
events: Array<FoundEvent>, 
/**
 * The cursor of the next page; `None` when this is the last.
 */
next: string | null, 
/**
 * In the order in which they came: nothing up to this number is missing. Ask on `after` it.
 */
upto: number | null, };

export type HitKind = "prompt" | "result" | "event" | "text";

export type Found = { 
/**
 * At most as many as were asked for.
 */
hits: Array<Hit>, 
/**
 * The cursor of the next page; `None` when this is the last.
 */
next: string | null, };

export type Hit = { 
/**
 * Where.
 */
kind: HitKind, 
/**
 * When it was written.
 */
at: UnixMillis, 
/**
 * The session, where there is one.
 */
session: SessionId | null, 
/**
 * Its name.
 */
session_name: string | null, 
/**
 * The prompt, for [`HitKind::Prompt`] and [`HitKind::Result`].
 */
prompt: PromptId | null, 
/**
 * The moment in the session's recording, for [`HitKind::Event`] and [`HitKind::Text`]: a byte of its output.
 */
offset: number | null, 
/**
 * The words with what stands around them, in pieces that in order are one text.
 */
excerpt: Array<Piece>, };

export type Piece = { 
/**
 * Plain text.
 */
text: string, 
/**
 * Whether it is what was looked for.
 */
hit: boolean, };

export type Insight = { 
/**
 * First instant.
 */
from: UnixMillis, 
/**
 * First instant after it.
 */
to: UnixMillis, 
/**
 * Length of the range's steps, in milliseconds: an hour up to two days, else a day.
 */
step_ms: number, 
/**
 * Ends of prompts, step by step, without steps in which none ended.
 */
ends: Array<Ends>, 
/**
 * How long prompts that ended in the range were in each phase.
 */
phases: Array<PhaseTimes>, 
/**
 * What sessions did, busiest first; at most 200.
 */
utilisation: Array<Utilisation>, 
/**
 * Changes of context, by hour and session; hours without one are left out.
 */
switches: Array<Switches>, 
/**
 * Whether prompts met a session that already was where they wanted to run.
 */
matches: Matches, 
/**
 * What agents asked.
 */
approvals: ApprovalTimes, 
/**
 * Errors by what they are, most frequent first; at most 200.
 */
errors: Array<ErrorGroup>, 
/**
 * Tokens and cost by day, agent and project.
 */
usage: Array<Usage>, };

export type Ends = { 
/**
 * Its first instant.
 */
at: UnixMillis, 
/**
 * How.
 */
outcome: Outcome, 
/**
 * How many.
 */
count: number, };

export type Spread = { 
/**
 * How many were counted.
 */
count: number, 
/**
 * Half took no longer.
 */
p50_ms: number, 
/**
 * Nine of ten took no longer.
 */
p90_ms: number, 
/**
 * The longest.
 */
max_ms: number, };

export type PhaseTimes = { 
/**
 * `waiting`, `delivery`, `running` or `verification`.
 */
phase: string, 
/**
 * How long.
 */
took: Spread, };

export type Utilisation = { 
/**
 * Which.
 */
session: SessionId, 
/**
 * Its name.
 */
name: string, 
/**
 * Its agent.
 */
agent: string, 
/**
 * At work.
 */
busy_ms: number, 
/**
 * Waiting for a person.
 */
waiting_ms: number, 
/**
 * Idle.
 */
idle_ms: number, 
/**
 * Anything else: starting, unknown.
 */
other_ms: number, };

export type Switches = { 
/**
 * Which.
 */
session: SessionId, 
/**
 * The hour's first instant.
 */
hour: UnixMillis, 
/**
 * How often.
 */
count: number, };

export type Matches = { 
/**
 * The session was there already.
 */
in_context: number, 
/**
 * It had to be brought there.
 */
moved: number, };

export type ApprovalTimes = { 
/**
 * How many a person answered.
 */
by_person: number, 
/**
 * How many a rule answered.
 */
by_rule: number, 
/**
 * How many went away unanswered, or were answered in the terminal.
 */
elsewhere: number, 
/**
 * How many are open now.
 */
open: number, 
/**
 * How long a person's answer took.
 */
waited: Spread, };

export type ErrorGroup = { 
/**
 * What makes it the same.
 */
fingerprint: string, 
/**
 * The rule that found it.
 */
rule: string, 
/**
 * Its line, as it was last seen.
 */
text: string, 
/**
 * How often in the range.
 */
count: number, 
/**
 * First time in the range.
 */
first: UnixMillis, 
/**
 * Last time in it.
 */
last: UnixMillis, 
/**
 * Where; at most 20.
 */
sessions: Array<SessionId>, };

export type Usage = { 
/**
 * The day's first instant, in the time zone that was asked for.
 */
day: UnixMillis, 
/**
 * By which agent.
 */
agent: string, 
/**
 * In which project: the repository, or the directory outside one.
 */
project: string, 
/**
 * Prompts that ended.
 */
prompts: number, 
/**
 * Tokens read.
 */
tokens_in: number, 
/**
 * Tokens written.
 */
tokens_out: number, 
/**
 * US dollars.
 */
cost_usd: number, };

export type NewPool = { 
/**
 * Unique; lower-case letters, digits and dashes, at most 32. Its sessions are called `NAME-1`, `NAME-2`, ….
 */
name: string, 
/**
 * The command that is wrapped, argument by argument; its first word says which profile is used.
 */
command: Array<string>, 
/**
 * Where, absolute.
 */
dir: string, 
/**
 * On which host; `None` takes the one of the server.
 */
host: HostId | null, 
/**
 * Role that its sessions declare.
 */
role: string | null, 
/**
 * Capabilities that they declare.
 */
caps: Array<string>, 
/**
 * Variables that they are started with.
 */
env: { [key in string]: string }, 
/**
 * At least so many, idle or not.
 */
min: number, 
/**
 * Never more; 1 to 100.
 */
max: number, 
/**
 * An idle one above `min` is ended after so many milliseconds.
 */
idle_ms: number, };

export type Pool = { 
/**
 * What was asked for.
 */
asked: NewPool, 
/**
 * Its live sessions.
 */
sessions: Array<SessionId>, 
/**
 * How many are being started.
 */
starting: number, 
/**
 * Prompts that only it could take.
 */
waiting: number, 
/**
 * Starts that failed, or sessions that ended by themselves soon after, in a row.
 */
failures: number, 
/**
 * Not started again before this.
 */
resting_until: UnixMillis | null, 
/**
 * How the last failure came about.
 */
last_failure: string | null, };

export type AlertKind = "stuck" | "failure_rate" | "context_mismatch" | "host_gone" | "observer_gone" | "approval_waiting" | "prompt_held" | "prompt_failed" | "rate_limited" | "sink_failing";

export type SinkKind = "command" | "webhook" | "ntfy" | "slack" | "discord" | "telegram" | "desktop";

export type Alert = { 
/**
 * Identity, growing.
 */
id: number, 
/**
 * What.
 */
kind: AlertKind, 
/**
 * In a line, without anything that an agent wrote.
 */
text: string, 
/**
 * Which session.
 */
session: SessionId | null, 
/**
 * Which prompt.
 */
prompt: PromptId | null, 
/**
 * Which host.
 */
host: HostId | null, 
/**
 * Since when.
 */
opened: UnixMillis, 
/**
 * Until when; `None` while it lasts.
 */
closed: UnixMillis | null, 
/**
 * How often it was told again because nobody acted.
 */
escalations: number, };

export type QuietHours = { 
/**
 * From this minute on.
 */
from: number, 
/**
 * To this minute.
 */
to: number, };

export type NewSink = { 
/**
 * Unique; 1 to 64 characters.
 */
name: string, 
/**
 * Which kind.
 */
kind: SinkKind, 
/**
 * The address to post to; for a command the command, for `sh -c`; for Telegram the interface's base address.
 */
target: string, 
/**
 * It may be an address of this machine or of its own network, there without encryption too. Not settable from a
 * browser.
 */
allow_private: boolean, 
/**
 * A signing key or a bot's token. `None` in a change keeps what is there, unless the target is another.
 */
secret: string | null, 
/**
 * For ntfy the topic, for Telegram the chat.
 */
channel: string | null, 
/**
 * For Telegram: identities of the users whose commands are obeyed.
 */
allowed: Array<string>, 
/**
 * What it carries; empty: everything.
 */
alerts: Array<AlertKind>, 
/**
 * Not then.
 */
quiet: QuietHours | null, 
/**
 * Names of sessions, prompts' texts and requests are told too, not only counts and kinds.
 */
detailed: boolean, 
/**
 * Told again to this sink, when nobody acted for so many milliseconds.
 */
escalate_ms: number | null, };

export type Sink = { 
/**
 * As it was asked for, without its secret.
 */
asked: NewSink, 
/**
 * Whether it has a secret.
 */
has_secret: boolean, 
/**
 * Notices that wait to be sent.
 */
waiting: number, 
/**
 * When one was last carried.
 */
delivered: UnixMillis | null, 
/**
 * Why the last try failed; `None` when it did not.
 */
failure: string | null, };

export type Role = "viewer" | "typist" | "approver" | "assigner" | "admin";

export type Bounds = { 
/**
 * How deep its prompts may be. One that an agent queues is a step deeper than the prompt that the agent works
 * on; a person's has depth 0.
 */
depth: number, 
/**
 * How many of its prompts may be open at once, and how many that were queued for one prompt.
 */
fan_out: number, 
/**
 * How many it may queue within an hour.
 */
per_hour: number, 
/**
 * Whether its prompts may bring commands that nobody is asked about: verification, prerequisites, variables,
 * commands of the agent itself.
 */
commands: boolean, };

export type TokenRow = { 
/**
 * First 12 hexadecimal digits of its hash: enough to name it, useless to use it.
 */
id: string, 
/**
 * What its owner called it.
 */
name: string, 
/**
 * What it allows.
 */
roles: Array<Role>, 
/**
 * Since when.
 */
created: UnixMillis, 
/**
 * Until when; `None` without an end.
 */
expires: UnixMillis | null, 
/**
 * Last use, to the minute.
 */
used: UnixMillis | null, 
/**
 * Whether the caller uses this one now.
 */
own: boolean, 
/**
 * How far it goes, when it is an agent's.
 */
bounds?: Bounds, };

export type NewToken = { 
/**
 * What it is for; 1 to 64 characters.
 */
name: string, 
/**
 * What it allows; at least one.
 */
roles: Array<Role>, 
/**
 * How long it is good for, in milliseconds; `None` without an end.
 */
life_ms: number | null, 
/**
 * For an agent: how far it goes. With it only to look and to assign can be allowed.
 */
bounds?: Bounds, };

export type MadeToken = { 
/**
 * The secret.
 */
token: string, 
/**
 * The rest.
 */
row: TokenRow, };

export type Me = { 
/**
 * `cli`, `browser` or the token's name.
 */
name: string, 
/**
 * What it may do.
 */
roles: Array<Role>, 
/**
 * How far it goes, when it is an agent.
 */
bounds?: Bounds, };

export type Resources = { 
/**
 * Processors.
 */
cpus: number, 
/**
 * Load average over a minute.
 */
load: number, 
/**
 * Bytes of memory.
 */
memory: number, 
/**
 * Bytes of it that are available.
 */
memory_free: number, 
/**
 * Bytes available where recordings are written.
 */
disk_free: number, };

export type HostRow = { 
/**
 * Identity.
 */
id: HostId, 
/**
 * Name.
 */
name: string, 
/**
 * Versions of its wrappers; more than one while some are older.
 */
versions: Array<string>, 
/**
 * Live sessions.
 */
sessions: number, 
/**
 * How many of them are connected.
 */
connected: number, 
/**
 * What it can spare; `None` before the first word of it.
 */
resources: Resources | null, 
/**
 * When it was last heard.
 */
heard: UnixMillis, };

export type Routing = { 
/**
 * None are given out; what runs goes on.
 */
paused: boolean, };

export type Template = { 
/**
 * Unique; 1 to 64 characters.
 */
name: string, 
/**
 * What it asks. `{{word}}` in its text is filled in by the sender.
 */
prompt: NewPrompt, };

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
approvals: Array<Approval>, 
/**
 * Whether no prompts are given out.
 */
paused: boolean, } | { "type": "routing", 
/**
 * As it is now.
 */
paused: boolean, } | { "type": "session", 
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
