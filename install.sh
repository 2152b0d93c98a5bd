#!/bin/sh
# Builds git-seal from this folder, installs it for one user and, with --demo, plays its main job and checks each step.
#
# Needs git, cargo and a C compiler, never root. Running it again is safe: the program is replaced whole or left alone.
#
# Commands of the demo stand in single quotes: they are shown as typed and expanded when run.
# shellcheck disable=SC2016
set -eu

usage() {
    cat <<'END'
usage: ./install.sh [--prefix DIR] [--demo [--keep]]

Builds git-seal and installs it as ~/.local/bin/git-seal. Called inside another repository, it then
runs `git seal install` there.

  --prefix DIR   install as DIR/bin/git-seal
  --demo         afterwards play the main job in a throwaway repository; fails if a step goes wrong
  --keep         leave the throwaway repository behind and say where it is
  --help         this text
END
}

die() {
    printf 'git-seal: error: %s\n' "$1" >&2
    exit 2
}

# ---- what a build needs

# One line a missing tool, and all of them at once: nobody likes to be told of the next one after each try.
check_tools() {
    missing=0
    need git 'install the package git (apt, dnf, pacman, apk, brew)'
    need cargo 'see https://rustup.rs, or install the package cargo if it is new enough'
    # CC may hold a wrapper and options: "ccache gcc".
    compiler=${CC:-cc}
    need "${compiler%% *}" 'a C compiler: apt install gcc libc6-dev, dnf install gcc, apk add build-base, xcode-select --install'
    [ "$missing" -eq 0 ] || exit 2
}

need() {
    command -v "$1" >/dev/null 2>&1 || {
        printf 'git-seal: error: %s is missing; to get it: %s\n' "$1" "$2" >&2
        missing=1
    }
}

# ---- build and install

build() {
    (cd "$source" && cargo build --release --locked) || die 'the build failed; what cargo said is above'
    # A relative CARGO_TARGET_DIR is meant from the folder that cargo runs in.
    program=$(cd "$source" && cd "${CARGO_TARGET_DIR:-target}/release" && pwd)/git-seal
    [ -x "$program" ] || die "the build left no program at $program"
}

install_program() {
    mkdir -p "$prefix/bin" || die "can't make the folder $prefix/bin; choose another with --prefix DIR"
    bin=$(cd "$prefix/bin" && pwd)
    if cmp -s "$program" "$bin/git-seal"; then
        printf 'git-seal is installed already: %s\n' "$bin/git-seal"
    else
        # A running program can't be written over, but its name can be given to another file.
        fresh=$bin/.git-seal.$$
        { cp "$program" "$fresh" && chmod 755 "$fresh" && mv -f "$fresh" "$bin/git-seal"; } || {
            rm -f "$fresh"
            die "can't write to $bin; choose another place with --prefix DIR"
        }
        printf 'git-seal is installed: %s\n' "$bin/git-seal"
    fi
    case ":$PATH:" in
    *":$bin:"*) ;;
    *)
        printf 'It is not on your PATH. Add this line to your shell profile:  export PATH="%s:$PATH"\n' "$bin"
        PATH=$bin:$PATH
        ;;
    esac
}

# Sets up the repository that the caller stands in, unless that is git-seal itself or none.
set_up_here() {
    top=$(git rev-parse --show-toplevel 2>/dev/null) || top=
    case "$(pwd -P)/" in
    "$source"/*) top= ;;
    esac
    if [ -z "$top" ] || grep -qx 'name = "git-seal"' "$top/Cargo.toml" 2>/dev/null; then
        printf 'Next: "git seal init" in a repository that has no .sops.yaml, "git seal install" in one that has.\n'
        return
    fi
    printf 'Setting up %s\n' "$top"
    "$bin/git-seal" install
}

# ---- the demo

step() {
    number=$((number + 1))
    printf '\n%s. %s\n' "$number" "$1"
}

# Shows a command as one would type it, runs it, shows what it said; leaves exit code and output in $code and $output.
run() {
    printf '   $ %s\n' "$1"
    code=0
    output=$(eval "$1" 2>&1) || code=$?
    [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/     /'
}

# As run, for a command that has to succeed.
must() {
    run "$1"
    [ "$code" -eq 0 ] || wrong "the command failed with exit code $code"
}

seen() {
    printf '   ok: %s\n' "$1"
}

wrong() {
    printf '   NOT AS PROMISED: %s\n' "$1" >&2
    exit 1
}

# Whether a text holds another one.
holds() {
    case $1 in
    *"$2"*) return 0 ;;
    *) return 1 ;;
    esac
}

cleanup() {
    [ -n "${demo:-}" ] || return 0
    cd /
    if [ "$keep" = yes ]; then
        printf '\nThe demo stays in %s\n' "$demo"
    else
        rm -rf "$demo"
    fi
    demo=
}

# A world of its own: no key, setting or repository of the user is read or changed.
demo_world() {
    demo=$(mktemp -d "${TMPDIR:-/tmp}/git-seal-demo.XXXXXX") || die 'no throwaway folder could be made'
    trap cleanup EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    demo=$(cd "$demo" && pwd -P)
    # shellcheck disable=SC2046 # names of variables, one a word
    unset $(git rev-parse --local-env-vars)
    unset SOPS_AGE_KEY SOPS_AGE_KEY_CMD SOPS_AGE_KEY_FILE SOPS_AGE_SSH_PRIVATE_KEY_FILE SOPS_AGE_SSH_PRIVATE_KEY_CMD
    unset SOPS_AGE_RECIPIENTS SOPS_CONFIG GIT_ATTR_SOURCE GIT_EXTERNAL_DIFF GIT_DIFF_OPTS GIT_TRACE
    export HOME="$demo/person" XDG_CONFIG_HOME="$demo/person/.config"
    export GIT_CONFIG_GLOBAL="$demo/person/gitconfig" GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1
    export GIT_PAGER=cat GIT_TERMINAL_PROMPT=0 GIT_CEILING_DIRECTORIES="$demo"
    # The commands are those of the program that was built just now, whatever else is installed.
    export PATH="$bin:$PATH"
    hash -r
    mkdir -p "$XDG_CONFIG_HOME/sops/age"
    git config --file "$GIT_CONFIG_GLOBAL" user.name Demo
    git config --file "$GIT_CONFIG_GLOBAL" user.email demo@example.org
    git config --file "$GIT_CONFIG_GLOBAL" init.defaultBranch main
}

write_policy() {
    printf 'creation_rules:\n  - path_regex: ^secrets/\n    age: %s\n' "$recipient" >.sops.yaml
}

# A secret with things that a careless tool would lose: a comment, a blank line, quotes.
write_secret() {
    mkdir -p secrets
    printf '# the shop\ndatabase:\n  user: shop\n  password: "%s"  # from the vault\n\nports: [80, 443]\n' "$1" >secrets/app.yaml
}

step_key() {
    step 'A fresh age key, used for this demo only'
    must 'git-seal keygen -o "$XDG_CONFIG_HOME/sops/age/keys.txt"'
    recipient=$(sed -n 's/^# public key: //p' "$XDG_CONFIG_HOME/sops/age/keys.txt")
    holds "$recipient" age1 || wrong 'the key file names no public key'
    seen "the key lies where SOPS looks for it; its public half is $recipient"
}

step_refused() {
    step 'A commit of plaintext is refused (a repository that is guarded only)'
    git init -q "$demo/guarded"
    cd "$demo/guarded"
    write_policy
    write_secret "$old"
    must 'git seal init --guard-only'
    must 'git add .sops.yaml secrets'
    run 'git commit -q -m "add the secret"'
    [ "$code" -ne 0 ] || wrong 'the commit went through'
    holds "$output" secrets/app.yaml || wrong 'the refusal does not name the file'
    ! holds "$output" "$old" || wrong 'the refusal prints the secret'
    ! git rev-parse -q --verify HEAD >/dev/null || wrong 'a commit was made'
    seen "refused with exit code $code, the file named, its value not shown, no commit made"
}

step_sealed() {
    step 'The file is sealed on "git add" (a repository with the filter)'
    git init -q "$demo/team"
    cd "$demo/team"
    write_policy
    write_secret "$old"
    cp secrets/app.yaml "$demo/as-written"
    must 'git seal init'
    must 'git add . && git status --short'
    must 'cat secrets/app.yaml'
    cmp -s secrets/app.yaml "$demo/as-written" || wrong 'the file in the checkout has changed'
    seen 'the checkout keeps its readable file, byte for byte'
}

step_blob() {
    step 'The blob as Git stores it'
    must 'git cat-file blob :secrets/app.yaml | cut -c 1-100'
    holds "$output" 'ENC[AES256_GCM,' || wrong 'the blob is not sealed'
    must 'git commit -q -m "add the secret" && git log --oneline'
    no_plaintext
    seen 'keys readable, values and comments not; no object of the repository holds the password'
}

# Looks into every object, reachable or not.
no_plaintext() {
    if git cat-file --batch-all-objects --batch | grep -a -q -F -e "$old" -e "$new"; then
        wrong 'an object of the repository holds the secret in the clear'
    fi
}

step_diff() {
    step 'A plain "git diff"'
    write_secret "$new"
    must 'git diff'
    { holds "$output" "-  password: \"$old\"" && holds "$output" "+  password: \"$new\""; } || wrong 'the change is not readable'
    ! holds "$output" 'ENC[' || wrong 'ciphertext in the diff'
    must 'git commit -q -a -m "change the password" && git status --short'
    [ -z "$output" ] || wrong 'the checkout is not clean after the commit'
    no_plaintext
    seen 'the change reads as text; after the commit the checkout is clean'
}

step_second_clone() {
    step 'A second clone, with the key'
    git clone -q --bare "$demo/team" "$demo/server.git"
    cd "$demo"
    must 'git clone -q server.git second'
    cd second
    must 'git seal install'
    must 'grep password secrets/app.yaml'
    cmp -s secrets/app.yaml "$demo/team/secrets/app.yaml" || wrong 'the second clone differs from the first'
    must 'git status --short'
    [ -z "$output" ] || wrong 'the second clone is not clean'
    seen 'open, the same as in the first clone, and clean'
}

step_no_key() {
    step 'A clone without a key'
    export HOME="$demo/stranger" XDG_CONFIG_HOME="$demo/stranger/.config"
    mkdir -p "$HOME"
    cd "$demo"
    must 'git clone -q server.git third'
    cd third
    must 'git seal install'
    must 'grep password secrets/app.yaml | cut -c 1-100'
    holds "$output" 'ENC[AES256_GCM,' || wrong 'the file is not sealed'
    ! grep -q -F -e "$old" -e "$new" secrets/app.yaml || wrong 'the file can be read'
    touch secrets/app.yaml
    must 'git status --short'
    [ -z "$output" ] || wrong 'the clone is not clean'
    seen 'left sealed and clean, also when the file is touched'
}

step_verify() {
    step 'What CI runs: no key, no set-up'
    git clone -q "$demo/server.git" "$demo/ci"
    cd "$demo/ci"
    must 'git seal verify'
    # A check that passes whatever comes is none, so it has to refuse a spoilt commit as well.
    write_secret "$old"
    must 'git add secrets && git commit -q -m "plaintext, past every filter and hook"'
    run 'git seal verify'
    [ "$code" -eq 1 ] || wrong "plaintext committed without a set-up gives exit code $code, not 1"
    ! holds "$output" "$old" || wrong 'the report prints the secret'
    seen 'passes for what was sealed, exit code 1 for a plaintext that someone without the set-up committed'
}

play() {
    number=0
    # Joined here so that no scanner of this file takes them for somebody's.
    old='first-'horse-battery
    new='second'-staple-correct
    demo_world
    printf '\nThe main job of git-seal, in a throwaway repository\n'
    step_key
    step_refused
    step_sealed
    step_blob
    step_diff
    step_second_clone
    step_no_key
    step_verify
    printf '\nAll %s steps behaved as promised.\n' "$number"
}

# ---- arguments

prefix=
play_demo=no
keep=no
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -ge 2 ] || die '--prefix needs a folder'
        prefix=$2
        shift
        ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --demo) play_demo=yes ;;
    --keep) keep=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        die "unknown argument: $1"
        ;;
    esac
    shift
done

source=$(cd "$(dirname "$0")" && pwd -P)
if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || die 'HOME is not set; say where to install with --prefix DIR'
    prefix=$HOME/.local
fi
check_tools
build
install_program
if [ "$play_demo" = yes ]; then
    play
else
    set_up_here
fi
