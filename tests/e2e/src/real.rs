//! Real agents in throw-away homes, and the scripted model that they speak to. Must not: reach anything but loopback.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use actors::home::{self, Kind};
use actors::model::Model;
use actors::script::Scripts;
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
        let folder = muster.folder().canonicalize().expect("it is there");
        // What is trusted is all below the place, where the projects are and the work trees will be.
        let env = home::set_up(kind, &muster.folder().join("home"), &folder, model.address)
            .expect("the agent's home can be made");
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
        if self.kind == Kind::Codex {
            let trust = format!("\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n", project.display());
            let config = std::fs::File::options().append(true).open(self.home().join(".codex/config.toml"));
            config
                .and_then(|mut file| file.write_all(trust.as_bytes()))
                .expect("its settings can be written");
        }
        project
    }

    /// The agent's home.
    pub fn home(&self) -> PathBuf {
        self.muster.folder().join("home")
    }

    /// Starts a session of the agent, headless.
    #[track_caller]
    pub fn start(&self, name: &str, project: &Path) {
        let mut wrap = self.muster.command("wrap");
        wrap.args(["-d", "--name", name, "-C"]).arg(project).arg(&self.program);
        if self.kind == Kind::Claude {
            wrap.args(["--permission-mode", "default"]);
        }
        let out = wrap.envs(&self.env).output().expect("wrap runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Answers of the model to the task, as the model tells it.
    pub fn answered(&self) -> Vec<String> {
        let log = self.model.log();
        log.into_iter().filter(|e| e.what == "answered" && !e.side).map(|e| e.text).collect()
    }

    /// Requests that begin a turn with this prompt.
    pub fn asked(&self, prompt: &str) -> usize {
        let log = self.model.log();
        let begins = |e: &&actors::model::Entry| e.what == "request" && !e.side && e.step == 0;
        log.iter().filter(begins).filter(|e| e.text.contains(prompt)).count()
    }
}
