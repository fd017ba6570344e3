//! What is known of programs that run other programs: no wildcard of a rule that approves reaches into them.
//!
//! Owns: the tables, each entry with its reason. Must not: be taken for a fence: a test or a build runs whatever its
//! project says. This keeps a pattern from meaning more than what it says.

/// Programs that run what their arguments say.
const RUNNERS: &str = "
    . alias ash at awk bash batch builtin bun bundle bunx busybox chroot chrt command coproc crontab csh
    dash deno direnv doas docker ed emacs entr env eval ex exec expect fd find fish flock gawk gdb hg
    ionice ksh less lldb ltrace man mawk mise more nano nice nix nohup npx nsenter nvim parallel pdksh pipenv pipx pkexec
    pnpx podman poetry rustup screen script sed setsid sh source ssh stdbuf strace su sudo svn systemd-run
    taskset tcsh time timeout tmux trap unshare uv uvx vi view vim watch xargs zsh
";

/// Interpreters: an option before the script may hold code (`-c`, `-e`, `-r`, `-M`, also glued to others).
const INTERPRETERS: &str = "java lua luajit node nodejs osascript perl php pypy python ruby tclsh";

/// Programs whose first argument says what they do: a wildcard in its place, or an option, could mean anything.
const BY_SUBCOMMAND: &[&str] = &["cargo", "git", "go", "npm", "pnpm", "yarn"];

/// Subcommands that run what their arguments say.
const RUNNING_SUBCOMMANDS: &[(&str, &[&str])] = &[
    ("go", &["generate", "run", "tool"]),
    ("npm", &["exec", "explore", "x"]),
    ("pnpm", &["dlx", "exec"]),
    ("yarn", &["dlx", "exec", "node"]),
];

/// Subcommands of git that are its own and run no command from their arguments. Any other may be an alias, which is a
/// command of its own, or `bisect`, `config`, `filter-branch`, `submodule`, which lead to one.
const GIT_OWN: &str = "
    add blame branch cat-file checkout cherry-pick clean clone commit describe diff fetch grep init log
    ls-files ls-remote ls-tree merge merge-base mv pull push rebase reflog remote reset restore rev-list
    rev-parse revert rm shortlog show stash status switch tag worktree
";

/// How a program reads its options.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `-x` alone, in a cluster or with its value glued to it; `--long`, which may be cut short.
    Getopt,
    /// `-word` and `--word` are the same.
    Words,
}

/// Options of one program that make it run, load or overwrite something else.
struct Options {
    program: &'static str,
    style: Style,
    never: &'static [&'static str],
}

/// `=` stands for an argument that sets a variable.
const OPTIONS: &[Options] = &[
    // A configuration from the command line names runners, wrappers and linkers; a manifest is another project.
    Options {
        program: "cargo",
        style: Style::Getopt,
        never: &[
            "--config",
            "--config-file",
            "--tool-config-file",
            "--manifest-path",
            "--target-dir",
            "-Z",
            "-C",
        ],
    },
    // The other side's program, commands for each step, programs that show differences, files written over.
    Options {
        program: "git",
        style: Style::Getopt,
        never: &[
            "-c",
            "-C",
            "-O",
            "-u",
            "-x",
            "--config",
            "--config-env",
            "--edit-description",
            "--exec",
            "--exec-path",
            "--ext-diff",
            "--open-files-in-pager",
            "--output",
            "--receive-pack",
            "--strategy",
            "--template",
            "--textconv",
            "--upload-pack",
        ],
    },
    // Programs that run the tests or the compiler, files written over, another project's place.
    Options {
        program: "go",
        style: Style::Words,
        never: &[
            "C",
            "exec",
            "gccgoflags",
            "gcflags",
            "asmflags",
            "ldflags",
            "modfile",
            "o",
            "overlay",
            "toolexec",
            "vettool",
        ],
    },
    // Another shell, another configuration, another project's scripts, code that node loads first.
    Options {
        program: "npm",
        style: Style::Getopt,
        never: &[
            "-C",
            "--globalconfig",
            "--node-options",
            "--prefix",
            "--script-shell",
            "--shell",
            "--userconfig",
        ],
    },
    Options {
        program: "pnpm",
        style: Style::Getopt,
        never: &["-C", "--dir", "--node-options", "--prefix", "--script-shell", "--shell"],
    },
    Options { program: "yarn", style: Style::Getopt, never: &["--cwd", "--script-shell", "--use-yarnrc"] },
    // Another makefile, code for make itself, the shell of each line (`SHELL=`).
    Options {
        program: "make",
        style: Style::Getopt,
        never: &[
            "=",
            "-C",
            "-E",
            "-I",
            "-f",
            "--directory",
            "--eval",
            "--file",
            "--include-dir",
            "--makefile",
        ],
    },
    // Plug-ins and configurations, which are code; a directory that is emptied first.
    Options {
        program: "pytest",
        style: Style::Getopt,
        never: &["-c", "-o", "-p", "--basetemp", "--config-file", "--override-ini", "--pdbcls", "--rootdir"],
    },
    // A program for each file.
    Options { program: "rg", style: Style::Getopt, never: &["--pre", "--hostname-bin"] },
    Options {
        program: "tar",
        style: Style::Getopt,
        never: &[
            "-F",
            "-I",
            "--checkpoint-action",
            "--info-script",
            "--new-volume-script",
            "--rsh-command",
            "--to-command",
            "--use-compress-program",
        ],
    },
    Options { program: "sort", style: Style::Getopt, never: &["-o", "--compress-program", "--output"] },
    Options { program: "rsync", style: Style::Getopt, never: &["-e", "--rsh", "--rsync-path"] },
];

/// Why this pattern must not have wildcards, when it must not.
pub(super) fn closed(pattern: &[String]) -> Option<String> {
    let program = program(pattern.first()?);
    let first = pattern.get(1).map_or("", String::as_str);
    let literal = !first.is_empty() && !first.starts_with('-') && !super::pattern::is_open(first);
    if lists(RUNNERS, program) {
        return Some(format!("`{program}` runs other commands: spell its line out, without `*` and `...`"));
    }
    if BY_SUBCOMMAND.contains(&program) && !literal {
        return Some(format!("what `{program}` does is its first argument: name it"));
    }
    let runs = RUNNING_SUBCOMMANDS.iter().any(|(p, subs)| *p == program && subs.contains(&first));
    if runs || (program == "git" && !lists(GIT_OWN, first)) {
        return Some(format!("`{program} {first}` may run other commands: spell its line out"));
    }
    None
}

/// Whether what wildcards stand for, from `open` on, makes a command run something else; `rest` is what `...` does.
pub(super) fn reaches(argv: &[String], open: usize, rest: &[String]) -> bool {
    let Some(program) = argv.first().map(|word| program(word)) else { return true };
    if lists(INTERPRETERS, program) {
        // Behind a script or a module that the pattern names, options are the script's. Behind an option that it
        // names, anything may be code.
        let word = |at: usize| argv.get(at).filter(|_| at < open).map_or("", String::as_str);
        let named = !word(1).is_empty() && !word(1).starts_with('-');
        let module = word(1) == "-m" && !word(2).is_empty();
        return !named && !module && (open > 1 || rest.iter().any(|arg| arg.starts_with('-')));
    }
    let mut options = OPTIONS.iter().filter(|o| o.program == program);
    options.any(|o| argv[open..].iter().any(|arg| o.never.iter().any(|n| o.style.is(n, arg))))
}

/// Whether a table of words has this one.
fn lists(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|w| w == word)
}

impl Style {
    /// Whether an argument is, or may be, this option.
    fn is(self, option: &str, argument: &str) -> bool {
        let name = argument.split('=').next().unwrap_or(argument);
        if option == "=" {
            return !argument.starts_with('-') && argument.contains('=');
        }
        match (self, option.strip_prefix("--")) {
            (Style::Words, _) => {
                argument.starts_with('-') && name.trim_start_matches('-') == option.trim_start_matches('-')
            }
            (Style::Getopt, Some(long)) => {
                name.strip_prefix("--").is_some_and(|name| !name.is_empty() && long.starts_with(name))
            }
            (Style::Getopt, None) => {
                let cluster = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
                cluster.is_some_and(|cluster| option.chars().nth(1).is_some_and(|c| cluster.contains(c)))
            }
        }
    }
}

/// A program's name: without its directory, and without what says its version (`python3.12`), or its make (`gmake`).
fn program(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or(word);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    match bare {
        "" => name,
        "gmake" | "bmake" => "make",
        "gtar" | "bsdtar" => "tar",
        "fdfind" => "fd",
        bare => bare,
    }
}
