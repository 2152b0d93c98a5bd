#!/usr/bin/env bash
# Figures of one run, each beside what it is held against, so that they mean something on any machine.
#
#   cargo build --release --locked && cargo build --release --locked --example copy-filter && benches/run.sh
#
# SEAL, COPY and SOPS name the programs. FILES (1000) and CROWD (50000) set the sizes, ROUNDS (5) how often each figure is
# taken; the best round counts. CPU is user and system time of a command with its children, which includes a filter: Git
# waits for it. Needs bash, git, awk and, for the memory figures, GNU time.
set -euo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
absolute() { printf '%s/%s\n' "$(cd "$(dirname "$1")" && pwd -P)" "$(basename "$1")"; }
SEAL=$(absolute "${SEAL:-$top/target/release/git-seal}")
COPY=$(absolute "${COPY:-$top/target/release/examples/copy-filter}")
SOPS=${SOPS:-$top/target/peers/sops}
[ -x "$SOPS" ] || SOPS=$(command -v sops || true)
FILES=${FILES:-1000}
CROWD=${CROWD:-50000}
ROUNDS=${ROUNDS:-5}
for program in "$SEAL" "$COPY"; do
  [ -x "$program" ] || { printf 'benches/run.sh: not built: %s\n' "$program" >&2; exit 2; }
done

# ---- a world of its own

# In memory where there is such a folder: a disk's file system takes longer to make a thousand loose objects right after a thousand
# files were deleted than everything that is measured here.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then TMPDIR=/dev/shm; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/git-seal-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2046 # names of variables, one a word
unset $(git rev-parse --local-env-vars)
unset SOPS_AGE_KEY SOPS_AGE_KEY_CMD SOPS_AGE_RECIPIENTS SOPS_AGE_SSH_PRIVATE_KEY_FILE
mkdir -p "$work/user/bin"
ln -s "$SEAL" "$work/user/bin/git-seal"
export HOME=$work/user XDG_CONFIG_HOME=$work/user/.config PATH="$work/user/bin:$PATH"
export GIT_CONFIG_GLOBAL=$work/user/gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 GIT_PAGER=cat
export SOPS_AGE_KEY_FILE=$work/user/keys.txt
git config --global user.name Bench
git config --global user.email bench@example.org
git config --global init.defaultBranch main
git config --global gc.auto 0
"$SEAL" keygen -o "$SOPS_AGE_KEY_FILE" >/dev/null 2>&1
recipient=$(sed -n 's/^# public key: //p' "$SOPS_AGE_KEY_FILE")

# shellcheck source=benches/measure.sh
. "$top/benches/measure.sh"

# ---- repositories

policy() { printf 'creation_rules:\n  - path_regex: ^secrets/\n    age: %s\n' "$recipient"; }

# Small files of five values each; $1 = a number that makes them differ from those of other rounds.
write_files() {
  mkdir -p secrets
  awk -v files="$FILES" -v round="$1" 'BEGIN {
    for (i = 0; i < files; i++) {
      name = sprintf("secrets/%05d.yaml", i)
      printf "service: shop-%d\nhost: db-%d.example.org\nport: %d\nuser: user%d\npassword: p-%d-%d\n", i, i, 1024 + i, i, i, round > name
      close(name)
    }
  }'
}

make_sealed() {
  git init -q "$work/sealed"
  cd "$work/sealed"
  policy >.sops.yaml
  "$SEAL" init >/dev/null 2>&1
  git add .
  git commit -q --no-verify -m policy
  git branch empty
  write_files 0
  git add .
  git commit -q --no-verify -m files
}

# The same blobs and attributes, but with the copying filter; its work tree holds what Git has.
make_copied() {
  git clone -q "$work/sealed" "$work/copied"
  cd "$work/copied"
  git config filter.git-seal.process "$COPY"
  git config filter.git-seal.required true
  git branch -q empty origin/empty
}

leave() { git checkout -q --force empty; }
enter() { git checkout -q --force main; }

# A change of one value in each file, another one each round.
change_sealed() { git reset -q --hard && write_files "$1"; }
change_copied() { git reset -q --hard && sed -i "s/^\(service: .*\)\$/\1 #$1/" secrets/*.yaml; }

# Another time of change with the same content, far from the index's own time, or Git looks twice.
touch_all() { git reset -q --hard && find secrets -type f -exec touch -d "@$((1600000000 + $1))" {} +; }

# A repository with CROWD other files, as objects and index only, and 10 sealed ones staged.
make_crowd() {
  git init -q "$work/crowd"
  cd "$work/crowd"
  awk -v crowd="$CROWD" 'BEGIN {
    print "commit refs/heads/main\ncommitter Bench <bench@example.org> 1600000000 +0000\ndata 5\ncrowd"
    for (i = 0; i < crowd; i++) printf "M 100644 inline src/%03d/%05d.txt\ndata <<END\nfile %d\nEND\n", i / 1000, i, i
  }' | git fast-import --quiet
  git read-tree HEAD
  policy >.sops.yaml
  "$SEAL" init >/dev/null 2>&1
  git add .sops.yaml .gitattributes
  git commit -q --no-verify -m policy
  FILES=10 write_files 1
  git add secrets
}

# One file of 20,000 values, about 1 MB in the clear.
make_big() {
  cd "$work"
  awk 'BEGIN { for (i = 0; i < 20000; i++) { if (i % 100 == 0) printf "group%03d:\n", i / 100; printf "  key%05d: value-%05d-abcdefghijklmnopqrstuvwxyz\n", i, i } }' >big.yaml
  "$SEAL" encrypt --age "$recipient" big.yaml >big.enc.yaml
}

many_versions() { local i; for ((i = 0; i < 100; i++)); do "$1" --version; done; }
many_true() { local i; for ((i = 0; i < 100; i++)); do /bin/true; done; }

# ---- figures

# The order of a pair matters little: every figure is the best of its rounds.
compare() {
  local name=$1 prepare_ours=$2 prepare_theirs=$3 ours theirs
  shift 3
  ours=$(cd "$work/sealed" && enter && best "$prepare_ours" "$@")
  theirs=$(cd "$work/copied" && enter && best "$prepare_theirs" "$@")
  row "$name" "$ours" "$theirs" "$FILES" 'ms a file'
}

printf 'git-seal %s, %s, %s, best of %s\n' "$("$SEAL" --version | awk '{ print $NF }')" "$(git --version)" "$(nproc) CPUs" "$ROUNDS"
make_sealed
make_copied
printf '\n%-44s %9s %9s %7s %9s %9s %7s\n' '' 'wall' 'other' 'ratio' 'CPU' 'other' 'ratio'
compare "git checkout, $FILES files : copying filter" leave leave git checkout -q main
compare "git add, $FILES changed files : copying filter" change_sealed change_copied git add secrets
compare "git status, $FILES touched files : copying filter" touch_all touch_all git status --porcelain

make_crowd
cd "$work/crowd"
export GIT_INDEX_FILE=.git/index
# What Git sets for this hook; the other side gets the same.
row "pre-commit, 10 of $CROWD files : git diff --cached" "$(best nothing "$SEAL" hook pre-commit)" \
  "$(best nothing git diff --cached --name-only)" 1 ms
unset GIT_INDEX_FILE

make_big
ours=$(best nothing "$SEAL" decrypt big.enc.yaml)
if [ -n "$SOPS" ]; then
  row 'decrypt, 20,000 values : sops decrypt' "$ours" "$(best nothing "$SOPS" --disable-version-check decrypt big.enc.yaml)" 1 ms
  memory_row '  greatest memory' "$(peak "$SEAL" decrypt big.enc.yaml)" "$(peak "$SOPS" --disable-version-check decrypt big.enc.yaml)"
else
  row 'decrypt, 20,000 values : (no sops here)' "$ours" '0 0' 1 ms
fi
row 'start (--version) : /bin/true' "$(best nothing many_versions "$SEAL")" "$(best nothing many_true)" 100 ms
