//! All agents and the matcher of all event rules. Must not: read files; it is given their texts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::agent::{
    Agent, AnswerRule, ComposerRule, DialogRule, InputRecipe, LineRule, ResumeRecipe, ScreenMetric,
    ScreenRule, Timing, TitleRule,
};
use crate::fact::{FactRule, HookRecipe, Place, ToolRule, TranscriptRecipe};
use crate::schema::{
    AgentFile, AnswerTable, ComposerTable, DialogTable, EventTable, FactTable, HooksTable, LineTable,
    ScreenTable, SetFile, TitleTable, ToolTable,
};
use crate::{Error, EventRule, Matcher, Pattern, Versions, builtin};

/// All that is known.
#[derive(Debug)]
pub struct Library {
    agents: Vec<Arc<Agent>>,
    unknown: Arc<Agent>,
    matcher: OnceLock<Matcher>,
}

impl Library {
    /// The library that is part of the program, read once; event rules are read when they are first needed.
    pub fn builtin() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        LIBRARY.get_or_init(|| {
            let mut agents = Vec::new();
            for (file, text) in builtin::AGENTS {
                agents.push(Arc::new(agent(file, text).expect("tests read every built-in agent")));
            }
            let unknown = agents.iter().find(|a| a.name == builtin::UNKNOWN).cloned();
            let unknown = unknown.expect("a test asks for the profile of an unknown program");
            Library { agents, unknown, matcher: OnceLock::new() }
        })
    }

    /// All agents.
    pub fn agents(&self) -> &[Arc<Agent>] {
        &self.agents
    }

    /// The agent of this name.
    pub fn agent(&self, name: &str) -> Option<Arc<Agent>> {
        self.agents.iter().find(|a| a.name == name).cloned()
    }

    /// The agent that a command of this base name starts; else the profile of an unknown program.
    pub fn agent_for_command(&self, command: &str) -> Arc<Agent> {
        let known = self.agents.iter().find(|a| a.commands.iter().any(|c| c == command));
        known.unwrap_or(&self.unknown).clone()
    }

    /// The matcher of all event rules.
    pub fn matcher(&self) -> &Matcher {
        self.matcher.get_or_init(|| {
            let mut rules = Vec::new();
            for (file, text) in builtin::SETS {
                rules.extend(set(file, text).expect("tests read every built-in set"));
            }
            Matcher::new(rules)
        })
    }
}

/// Reads an agent's file; patterns are compiled when they are first used.
pub fn agent(file: &str, text: &str) -> Result<Agent, Error> {
    let raw = parse_agent(file, text)?;
    let mut ids = Ids::new(file);
    let lines = |tables: Vec<LineTable>, ids: &mut Ids| {
        tables.into_iter().map(|t| line_rule(t, ids)).collect::<Result<Vec<_>, _>>()
    };
    Ok(Agent {
        titles: raw.titles.into_iter().map(|t| title_rule(t, &mut ids)).collect::<Result<_, _>>()?,
        screens: raw.screens.into_iter().map(|t| screen_rule(t, &mut ids)).collect::<Result<_, _>>()?,
        dialogs: raw.dialogs.into_iter().map(|t| dialog_rule(t, &mut ids)).collect::<Result<_, _>>()?,
        turn_ends: lines(raw.turn_ends, &mut ids)?,
        failures: lines(raw.failures, &mut ids)?,
        interruptions: lines(raw.interruptions, &mut ids)?,
        metrics: raw
            .metrics
            .into_iter()
            .map(|t| {
                ids.take(&t.id, None)?;
                Ok(ScreenMetric { id: t.id, region: t.region, pattern: Pattern::new(t.pattern) })
            })
            .collect::<Result<_, Error>>()?,
        composer: raw.composer.map(composer_rule),
        answer: raw.answer.map(answer_rule),
        hooks: raw.hooks.map(hook_recipe),
        transcript: raw.transcript.map(|t| TranscriptRecipe {
            root: t.root,
            variable: t.variable,
            open: t.open.map(Pattern::new),
        }),
        telemetry: raw.telemetry,
        facts: raw.facts.into_iter().map(|t| fact_rule(t, &mut ids)).collect::<Result<_, _>>()?,
        tools: raw.tools.into_iter().map(tool_rule).collect(),
        resume: raw.resume.map(|t| ResumeRecipe {
            arguments: t.arguments,
            words: t.words,
            conversation: t.conversation,
            anywhere: t.anywhere,
        }),
        input: InputRecipe {
            paste: raw.input.paste,
            enter: raw.input.enter.into_bytes(),
            interrupt: raw.input.interrupt.into_bytes(),
            prefixes: raw.input.prefixes,
            guard: raw.input.guard,
            command: raw.input.command.map(|t| Pattern::new(t.pattern)),
            settle_ms: raw.input.settle_ms,
            told_failures: raw.input.told_failures,
            interpreter: raw.input.interpreter,
            moves: raw.input.moves,
        },
        timing: Timing {
            ready_ms: raw.timing.ready_ms,
            idle_ms: raw.timing.idle_ms,
            rest_ms: raw.timing.rest_ms,
            busy_ms: raw.timing.busy_ms,
            dialog_ms: raw.timing.dialog_ms,
            unknown_ms: raw.timing.unknown_ms,
            lease_ms: raw.timing.lease_ms,
        },
        version: raw.version.map(Pattern::new),
        measured: raw
            .measured
            .map(|range| Ok((range.clone(), ids.versions("measured", Some(&range))?)))
            .transpose()?,
        name: raw.name,
        title: raw.title,
        commands: raw.commands,
        not_with: raw.not_with.map(Pattern::new),
        lines: raw.lines,
        shell_marks: raw.shell_marks,
        processes: raw.processes,
        status_protocol: raw.status_protocol,
    })
}

/// Reads a set of event rules.
pub fn set(file: &str, text: &str) -> Result<Vec<EventRule>, Error> {
    let raw = parse_set(file, text)?;
    let mut ids = Ids::new(file);
    raw.rules.into_iter().map(|t| event_rule(t, &mut ids)).collect()
}

/// Reads an agent's file as it is written.
pub fn parse_agent(file: &str, text: &str) -> Result<AgentFile, Error> {
    toml::from_str(text).map_err(|cause| Error::Schema { file: file.to_owned(), cause: cause.to_string() })
}

/// Reads a set's file as it is written.
pub fn parse_set(file: &str, text: &str) -> Result<SetFile, Error> {
    toml::from_str(text).map_err(|cause| Error::Schema { file: file.to_owned(), cause: cause.to_string() })
}

struct Ids<'f> {
    file: &'f str,
    seen: BTreeSet<String>,
}

impl<'f> Ids<'f> {
    fn new(file: &'f str) -> Self {
        Self { file, seen: BTreeSet::new() }
    }

    fn take(&mut self, id: &str, versions: Option<&str>) -> Result<Versions, Error> {
        if !self.seen.insert(id.to_owned()) {
            return Err(Error::Twice { file: self.file.to_owned(), id: id.to_owned() });
        }
        self.versions(id, versions)
    }

    fn versions(&self, id: &str, versions: Option<&str>) -> Result<Versions, Error> {
        let range = versions.unwrap_or_default();
        Versions::parse(range).ok_or_else(|| Error::Versions {
            file: self.file.to_owned(),
            rule: id.to_owned(),
            range: range.to_owned(),
        })
    }
}

fn title_rule(table: TitleTable, ids: &mut Ids) -> Result<TitleRule, Error> {
    let versions = ids.take(&table.id, table.versions.as_deref())?;
    let pattern = Pattern::new(table.pattern);
    Ok(TitleRule { id: table.id, versions, state: table.state, pattern, lease_s: table.lease_s })
}

fn screen_rule(table: ScreenTable, ids: &mut Ids) -> Result<ScreenRule, Error> {
    let versions = ids.take(&table.id, table.versions.as_deref())?;
    let pattern = Pattern::new(table.pattern);
    let ScreenTable { id, state, note, region, .. } = table;
    Ok(ScreenRule { id, versions, state, note, region, pattern })
}

fn line_rule(table: LineTable, ids: &mut Ids) -> Result<LineRule, Error> {
    let versions = ids.take(&table.id, table.versions.as_deref())?;
    Ok(LineRule { id: table.id, versions, alone: table.alone, pattern: Pattern::new(table.pattern) })
}

fn event_rule(table: EventTable, ids: &mut Ids) -> Result<EventRule, Error> {
    ids.take(&table.id, table.versions.as_deref())?;
    Ok(EventRule {
        id: table.id,
        meaning: table.meaning,
        kind: table.kind,
        severity: table.severity,
        pattern: Pattern::new(table.pattern),
        fields: table.fields,
        matches: table.matches,
        rejects: table.rejects,
    })
}

fn dialog_rule(table: DialogTable, ids: &mut Ids) -> Result<DialogRule, Error> {
    let versions = ids.take(&table.id, table.versions.as_deref())?;
    Ok(DialogRule {
        id: table.id,
        versions,
        kind: table.kind,
        end: Pattern::new(table.end),
        under: table.under,
        text: Pattern::new(table.text),
        top: table.top.map(Pattern::new),
        rows: table.rows,
        option: table.option.map(Pattern::new),
        needs_cursor: table.needs_cursor,
        at_cursor: table.at_cursor,
        border: table.border.chars().collect(),
        approve: table.approve.map(Pattern::new),
        approve_keys: table.approve_keys.map(String::into_bytes),
        deny_keys: table.deny_keys.map(String::into_bytes),
        direct: table.direct,
    })
}

fn composer_rule(table: ComposerTable) -> ComposerRule {
    ComposerRule {
        marker: Pattern::new(table.marker),
        above: table.above.map(Pattern::new),
        below: table.below.map(Pattern::new),
        at: table.at,
        ghost: table.ghost.into_iter().map(Pattern::new).collect(),
        pasted: table.pasted.into_iter().map(Pattern::new).collect(),
        border: table.border.chars().collect(),
        bracketed: table.bracketed,
        absent: table.absent,
        idle: table.idle,
    }
}

fn answer_rule(table: AnswerTable) -> AnswerRule {
    AnswerRule {
        prompt: Pattern::new(table.prompt),
        begin: table.begin.map(Pattern::new),
        skip: table.skip.into_iter().map(Pattern::new).collect(),
        end: table.end.into_iter().map(Pattern::new).collect(),
        tool: table.tool.into_iter().map(Pattern::new).collect(),
        tool_body: table.tool_body.map(Pattern::new),
        always: table.always,
    }
}

fn hook_recipe(table: HooksTable) -> HookRecipe {
    let HooksTable { via, argument, events, timeout_s, skip, own } = table;
    HookRecipe { via, argument, events, timeout_s, skip, own }
}

fn places(places: BTreeMap<String, String>) -> Vec<Place> {
    places.into_iter().map(|(pointer, p)| Place { pointer, pattern: Pattern::new(p) }).collect()
}

fn tool_rule(table: ToolTable) -> ToolRule {
    ToolRule {
        name: Pattern::new(table.name),
        kind: table.kind,
        detail: table.detail,
        action: table.action,
        unless: places(table.unless),
        command: table.command,
        paths: table.paths,
        here: table.here,
    }
}

fn fact_rule(table: FactTable, ids: &mut Ids) -> Result<FactRule, Error> {
    ids.take(&table.id, None)?;
    Ok(FactRule {
        id: table.id,
        from: table.from,
        means: table.means,
        when: places(table.when),
        unless: places(table.unless),
        text: table.text,
        tool: table.tool,
        input: table.input,
        output: table.output,
        status: table.status,
        background: table.background,
        transcript: table.transcript,
        tokens: table.tokens,
    })
}
