//! Real agents in throw-away homes, and the scripted model that they speak to. Must not: reach anything but loopback.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use actors::home::{self, Kind};
use actors::model::Model;
use actors::script::Scripts;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{Muster, root};

/// An agent's home in a place, and its model.
pub struct Real {
    /// The place.
    pub muster: Muster,
    /// The model.
    pub model: Model,
    kind: Kind,
    program: PathBuf,
    env: BTreeMap<String, String>,
    _runtime: Runtime,
}

impl Real {
    /// A home, a model and no session yet. `None` when there are no agents to try: `MUSTER_TEST_AGENTS` names the
    /// folder with their commands, as `scripts/test` sets it.
    pub fn new(kind: Kind) -> Option<Self> {
        let Some(agents) = std::env::var_os("MUSTER_TEST_AGENTS") else {
            eprintln!("not tried: MUSTER_TEST_AGENTS is not set; scripts/test sets it");
            return None;
        };
        let runtime = Runtime::new().expect("a runtime");
        let scripts = Scripts::load(&root().join("fixtures/scripts")).expect("the scripts can be read");
        let model = runtime.block_on(Model::start(scripts, 0, None)).expect("the model serves");
        let muster = Muster::new();
        let home = muster.folder().join("home");
        let env = home::set_up(kind, &home, muster.folder(), model.address).expect("its home can be made");
        let name = match kind {
            Kind::Claude => "claude",
            Kind::Codex => "codex",
        };
        let program = Path::new(&agents).join(name);
        Some(Self { muster, model, kind, program, env, _runtime: runtime })
    }

    /// A project that the agent trusts.
    pub fn project(&self, name: &str) -> PathBuf {
        let project = self.muster.project(name);
        home::trust(self.kind, &self.home(), &project).expect("its settings can be changed");
        project
    }

    fn change(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.home().join(file);
        let text = std::fs::read_to_string(&path).expect("its settings are there");
        std::fs::write(path, change(text)).expect("its settings can be written");
    }

    /// The agent's home.
    pub fn home(&self) -> PathBuf {
        self.muster.folder().join("home")
    }

    /// Starts a session of the agent, headless.
    #[track_caller]
    pub fn start(&self, name: &str, project: &Path) {
        self.start_with(name, project, &[]);
    }

    /// The same for an agent that manages others: `assign mcp` with this token is one of its MCP servers.
    #[track_caller]
    pub fn start_manager(&self, name: &str, project: &Path, token: &Path) {
        let program = self.muster.program("assign");
        let arguments = json!(["mcp", "--token-file", token]);
        match self.kind {
            Kind::Claude => {
                let file = self.muster.folder().join("mcp.json");
                let server = json!({ "command": program, "args": arguments });
                let text = json!({ "mcpServers": { "muster": server } }).to_string();
                std::fs::write(&file, text).expect("its servers can be written");
                let file = file.to_string_lossy();
                let tools = "--allowedTools=mcp__muster__assign,mcp__muster__wait";
                self.start_with(name, project, &["--mcp-config", &file, "--strict-mcp-config", tools]);
            }
            Kind::Codex => {
                // Codex starts servers with few of its own variables; the others are named.
                self.change(".codex/config.toml", |text| {
                    format!(
                        "{text}\n[mcp_servers.muster]\ncommand = {program:?}\nargs = {arguments}\n\
                         env_vars = [\"MUSTER_SESSION\", \"MUSTER_HOME\"]\n"
                    )
                });
                self.start_with(name, project, &[]);
            }
        }
    }

    #[track_caller]
    fn start_with(&self, name: &str, project: &Path, arguments: &[&str]) {
        let mut wrap = self.muster.command("wrap");
        wrap.args(["-d", "--name", name, "-C"]).arg(project).arg(&self.program);
        if self.kind == Kind::Claude {
            wrap.args(["--permission-mode", "default"]);
        }
        wrap.args(arguments);
        let out = wrap.envs(&self.env).output().expect("wrap runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Keeps a pool of the agent's sessions; `options` are those of `assign pool add`.
    #[track_caller]
    pub fn pool(&self, name: &str, project: &Path, options: &[&str]) {
        let mut add = self.muster.command("assign");
        add.args(["pool", "add", name, "--dir"]).arg(project).args(options);
        for (variable, value) in &self.env {
            add.arg("--env").arg(format!("{variable}={value}"));
        }
        add.arg("--").arg(&self.program);
        let out = add.output().expect("assign runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Answers of the model to the task, as the model tells it.
    pub fn answered(&self) -> Vec<String> {
        let log = self.model.log();
        log.into_iter().filter(|e| e.what == "answered" && !e.side).map(|e| e.text).collect()
    }

    /// What tools gave to the model.
    pub fn results(&self) -> Vec<String> {
        self.model.log().into_iter().filter(|e| e.what == "result" && !e.side).map(|e| e.text).collect()
    }

    /// Requests that begin a turn with this prompt.
    pub fn asked(&self, prompt: &str) -> usize {
        let log = self.model.log();
        let begins = |e: &&actors::model::Entry| e.what == "request" && !e.side && e.step == 0;
        log.iter().filter(begins).filter(|e| e.text.contains(prompt)).count()
    }
}
