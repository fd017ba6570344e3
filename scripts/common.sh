# Sourced by the scripts: where things are, and how they say what is missing. Must not: do anything by itself.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SCRATCH="$ROOT/.scratch"
AGENTS="$SCRATCH/agents"

# A setting of an agent's file: setting AGENT KEY.
setting() { sed -n "s/^$2 = \"\(.*\)\"\$/\1/p" "$ROOT/fixtures/agents/$1.toml"; }

# Versions of the real agents that the tests and the demo run. A newer one is a new recording.
CLAUDE_VERSION=$(setting claude recorded)
CODEX_VERSION=$(setting codex recorded)

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

# Brings Prometheus into the scratch folder, as a package of Debian's that is only unpacked: nothing is started, and no
# rights are needed. Prints the folder with its programs; false when there is none to be had.
fetch_prometheus() {
    local there="$SCRATCH/prometheus" on_path
    if on_path=$(command -v promtool); then dirname "$on_path"; return; fi
    if [ ! -x "$there/usr/bin/promtool" ]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
        [ "$(id -u)" != 0 ] || apt-get update -qq >&2 || true
        mkdir -p "$there"
        (cd "$there" && apt-get download -qq prometheus 2>/dev/null && dpkg-deb -x prometheus_*.deb . && rm -f prometheus_*.deb) || return 1
    fi
    echo "$there/usr/bin"
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

# Runs tests, said as cargo's own runner and nextest both take it: run_tests ARGUMENT...
run_tests() {
    # Built all at once, each part is built in one way. A test that asks cargo for the programs alone would have it build much of
    # them in another, as fewer features are wanted of their libraries then.
    cargo build --locked --quiet --workspace --lib --bins --tests
    export MUSTER_TEST_PROGRAMS="${CARGO_TARGET_DIR:-$ROOT/target}/debug"
    # All that fails is told of in one run.
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --locked --no-fail-fast "$@"
    else
        cargo test --locked --no-fail-fast "$@"
    fi
}

# The name that npm packages have for this system.
npm_system() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo linux-x64 ;;
        Linux-aarch64) echo linux-arm64 ;;
        Darwin-arm64) echo darwin-arm64 ;;
        Darwin-x86_64) echo darwin-x64 ;;
        *) return 1 ;;
    esac
}

# Brings one agent into a scratch folder of its own and prints the folder with its command: fetch_agent AGENT VERSION.
# VERSION "newest" takes what the registry offers for this machine. False when there is nothing to be had.
fetch_agent() {
    local agent=$1 version=$2 package kind name spec command system folder
    package=$(setting "$agent" package)
    [ -n "$package" ] || return 1
    system=$(npm_system) || return 1
    kind=${package%% *} name=${package#* } command=$(setting "$agent" command)
    name=${name//'${system}'/$system}
    folder="$SCRATCH/fetched/$agent-$version"
    if [ "$version" = newest ]; then rm -rf "$folder"; fi
    if [ ! -x "$folder/bin/$command" ]; then
        say "Fetching $name $version into ${folder#"$ROOT"/}" >&2
        rm -rf "$folder" && mkdir -p "$folder/bin"
        case $kind in
            npm)
                has_node || return 1
                # Without a version npm takes the newest one that says it runs with this Node.
                if [ "$version" = newest ]; then spec=$name; else spec="$name@$version"; fi
                npm install --silent --no-audit --no-fund --prefix "$folder" "$spec" >&2 || return 1
                if [ -x "$folder/node_modules/.bin/$command" ]; then
                    ln -s "../node_modules/.bin/$command" "$folder/bin/$command"
                else
                    ln -s "../node_modules/$name/$command" "$folder/bin/$command"
                fi
                ;;
            pip)
                local python
                python=$(newest_python) || return 1
                "$python" -m venv "$folder/venv" >&2 || return 1
                if [ "$version" != newest ]; then name="$name==$version"; fi
                "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$name" >&2 || return 1
                ln -s "../venv/bin/$command" "$folder/bin/$command"
                ;;
        esac
    fi
    [ -x "$folder/bin/$command" ] && printf '%s\n' "$folder/bin"
}

# The newest Python that agents are known to run with; PYTHON names another.
newest_python() {
    local python
    for python in ${PYTHON:-python3.13 python3.12 python3}; do
        if "$python" -m venv --help >/dev/null 2>&1; then echo "$python"; return; fi
    done
    return 1
}

# Brings the real agents from npm into a scratch folder. False when that is not possible.
fetch_agents() {
    has_node || return 1
    local system
    system=$(npm_system) || return 1
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
