//! One table of figures, each with its goal and whether it was met, printed as it comes. Must not: measure.

use std::fmt::Write as _;
use std::process::Command;

/// What is wanted of a figure.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// Nothing: it is there to be compared with.
    None,
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Goal {
    fn words(self, unit: &str) -> String {
        match self {
            Self::None => String::new(),
            Self::AtLeast(least) => format!("at least {}", number(least, unit)),
            Self::AtMost(most) => format!("at most {}", number(most, unit)),
        }
    }

    fn verdict(self, figure: f64) -> &'static str {
        match self {
            Self::None => "",
            Self::AtLeast(least) if figure >= least => "met",
            Self::AtMost(most) if figure <= most => "met",
            Self::AtLeast(_) | Self::AtMost(_) => "short",
        }
    }
}

/// A table in Markdown, as `BENCHMARKS.md` has it.
#[derive(Debug, Default)]
pub struct Table {
    met: usize,
    short: usize,
    not_tried: usize,
    undecided: usize,
}

impl Table {
    /// Prints where and with what it is measured, and the table's head.
    pub fn begin(bin: &std::path::Path) -> Self {
        print!("{}", machine(bin));
        println!("\n| what | measured | goal | |\n|---|---|---|---|");
        Self::default()
    }

    /// One figure.
    pub fn row(&mut self, what: &str, figure: f64, unit: &str, goal: Goal) {
        let verdict = goal.verdict(figure);
        self.met += usize::from(verdict == "met");
        self.short += usize::from(verdict == "short");
        println!("| {what} | {} | {} | {verdict} |", number(figure, unit), goal.words(unit));
    }

    /// A figure that does not tell whether its goal is met, because the anchor against itself differs by more.
    pub fn undecided(&mut self, what: &str, figure: f64, unit: &str, goal: Goal, noise: f64) {
        self.undecided += 1;
        let (figure, goal, noise) = (number(figure, unit), goal.words(unit), number(noise, unit));
        println!("| {what} | {figure} | {goal} | not decided: the noise is {noise} |");
    }

    /// What could not be measured here, and why.
    pub fn not_tried(&mut self, what: &str, why: &str) {
        self.not_tried += 1;
        println!("| {what} | | | not tried: {why} |");
    }

    /// Prints how many goals were met.
    pub fn end(&self) {
        let Self { met, short, not_tried, undecided } = self;
        println!(
            "\n{met} met, {short} short, {undecided} not decided, {not_tried} not tried; load {}",
            load()
        );
    }
}

/// A number with three or four figures that count, and its unit.
fn number(figure: f64, unit: &str) -> String {
    let digits = match figure.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{figure:.digits$} {unit}").trim_end().to_owned()
}

/// The machine, the date and the versions.
fn machine(bin: &std::path::Path) -> String {
    let mut text = String::new();
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |path: &str, name: &str| {
        let text = file(path);
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let _ = writeln!(
        text,
        "{}; {cores} cores of {}, {}, Linux {}, load {}",
        said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])),
        field("/proc/cpuinfo", "model name"),
        memory(&field("/proc/meminfo", "MemTotal")),
        file("/proc/sys/kernel/osrelease").trim(),
        load(),
    );
    let versions = [
        said(Command::new(bin.join("wrap")).arg("--version")),
        said(Command::new("script").arg("--version")),
        said(Command::new("tmux").arg("-V")),
        said(Command::new("screen").arg("--version")),
        said(Command::new("asciinema").arg("--version")),
        said(Command::new("rustc").arg("--version")),
    ];
    let known: Vec<String> = versions.into_iter().filter(|version| !version.is_empty()).collect();
    let _ = writeln!(text, "{}", known.join("; "));
    text
}

/// Memory as people say it.
fn memory(told: &str) -> String {
    let kilobytes = told.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    format!("{:.0} GiB", kilobytes.unwrap_or_default() / f64::from(1 << 20))
}

/// How many processes wanted to run in the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The first line that a command says.
fn said(command: &mut Command) -> String {
    let Ok(output) = command.output() else { return String::new() };
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned()
}

/// Whether a command can be run here.
pub fn installed(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}
