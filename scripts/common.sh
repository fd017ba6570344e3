# Sourced by the scripts: where things are, and how they say what is missing. Must not: do anything by itself.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCRATCH="$ROOT/.scratch"
AGENTS="$SCRATCH/agents"
# Versions of the real agents that the tests and the demo run. A newer one is a new recording.
CLAUDE_VERSION=2.1.329
CODEX_VERSION=0.169.0

say() { printf '\033[1m%s\033[0m\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

need_rust() {
    command -v cargo >/dev/null || fail "Rust is missing. Install it with rustup (see rust-lang.org), then run this again."
}

has_node() { command -v npm >/dev/null && command -v node >/dev/null; }

# Installs a package of Debian's when the command it brings is missing and we may.
need_command() {
    local command=$1 package=$2
    command -v "$command" >/dev/null && return
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "Installing $package"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
    else
        fail "'$command' is missing. Install it (Debian: apt-get install $package; macOS: brew install $package), then run this again."
    fi
}

# Builds the dashboard into web/dist, from where the server takes it, when its sources have changed.
build_web() {
    if ! has_node; then
        say "Node is missing: the server is built with a page that says so instead of the dashboard."
        return
    fi
    local stamp="$SCRATCH/web.stamp" now
    now=$(cd "$ROOT/web" && find package-lock.json index.html vite.config.ts src -type f -exec cksum {} + | sort | cksum)
    [ -f "$ROOT/web/dist/index.html" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return
    say "Building the dashboard"
    (cd "$ROOT/web" && npm ci --silent --no-audit --no-fund && npm run --silent build)
    mkdir -p "$SCRATCH" && printf '%s' "$now" > "$stamp"
    # The server embeds the files when it is compiled.
    touch "$ROOT/server/src/http/shell.rs"
}

# Brings the real agents from npm into a scratch folder. False when that is not possible.
fetch_agents() {
    has_node || return 1
    local system
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) system=linux-x64 ;;
        Linux-aarch64) system=linux-arm64 ;;
        Darwin-arm64) system=darwin-arm64 ;;
        Darwin-x86_64) system=darwin-x64 ;;
        *) return 1 ;;
    esac
    local wanted="claude $CLAUDE_VERSION codex $CODEX_VERSION $system"
    if [ "$(cat "$AGENTS/stamp" 2>/dev/null)" != "$wanted" ]; then
        say "Fetching Claude Code $CLAUDE_VERSION and Codex $CODEX_VERSION from npm into ${AGENTS#"$ROOT"/}"
        rm -rf "$AGENTS" && mkdir -p "$AGENTS/bin"
        npm install --silent --no-audit --no-fund --prefix "$AGENTS" \
            "@anthropic-ai/claude-code-$system@$CLAUDE_VERSION" "@openai/codex@$CODEX_VERSION" || return 1
        ln -s "../node_modules/@anthropic-ai/claude-code-$system/claude" "$AGENTS/bin/claude"
        ln -s ../node_modules/.bin/codex "$AGENTS/bin/codex"
        printf '%s' "$wanted" > "$AGENTS/stamp"
    fi
    [ -x "$AGENTS/bin/claude" ] && [ -x "$AGENTS/bin/codex" ]
}
