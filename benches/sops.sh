#!/usr/bin/env bash
# git-seal beside sops on the same files, in one run: sealing, opening, rotation, single values; and how time grows with size.
#
#   cargo build --release --locked && benches/sops.sh
#
# SEAL and SOPS name the programs. FILES (1000) is how many files are rotated at once; sops takes them one a process and is
# measured on a tenth of them. ROUNDS (3) says how often each figure is taken; the best round counts. CPU is user and
# system time. Needs bash, awk and, for the memory figures, GNU time.
set -euo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
SEAL=${SEAL:-$top/target/release/git-seal}
SOPS=${SOPS:-$top/target/peers/sops}
[ -x "$SOPS" ] || SOPS=$(command -v sops || true)
FILES=${FILES:-1000}
ROUNDS=${ROUNDS:-3}
for program in "$SEAL" "$SOPS"; do
  [ -x "$program" ] || { printf 'benches/sops.sh: not there: %s\n' "$program" >&2; exit 2; }
done

if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then TMPDIR=/dev/shm; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/git-seal-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir user
export HOME=$work/user XDG_CONFIG_HOME=$work/user/.config SOPS_DISABLE_VERSION_CHECK=1
export SOPS_AGE_KEY_FILE=$work/user/keys.txt
unset SOPS_AGE_KEY SOPS_AGE_KEY_CMD SOPS_AGE_RECIPIENTS SOPS_AGE_SSH_PRIVATE_KEY_FILE
"$SEAL" keygen -o "$SOPS_AGE_KEY_FILE" >/dev/null 2>&1
"$SEAL" keygen -o "$work/user/other.txt" >/dev/null 2>&1
recipient=$(sed -n 's/^# public key: //p' "$SOPS_AGE_KEY_FILE")
other=$(sed -n 's/^# public key: //p' "$work/user/other.txt")

# shellcheck source=benches/measure.sh
. "$top/benches/measure.sh"

# ---- files

# YAML of so many values in groups of a hundred.
yaml() {
  awk -v values="$1" 'BEGIN { for (i = 0; i < values; i++) { if (i % 100 == 0) printf "group%04d:\n", i / 100; printf "  key%05d: value-%05d-abcdefghijklmnopqrstuvwxyz\n", i, i } }'
}

# JSON of so many values, each as long as the second argument says.
json() {
  awk -v values="$1" -v width="$2" 'BEGIN {
    filler = sprintf("%*s", width, ""); gsub(/ /, "x", filler)
    printf "{"
    for (i = 0; i < values; i++) {
      if (i % 100 == 0) printf "%s\n  \"group%05d\": {", i ? "\n  }," : "", i / 100
      printf "%s\n    \"key%06d\": \"%d-%s\"", i % 100 ? "," : "", i, i, filler
    }
    print "\n  }\n}"
  }'
}

both() {
  local name=$1 count=$2 unit=$3
  shift 3
  row "$name" "$(best nothing repeat "$count" "$SEAL" "$@")" "$(best nothing repeat "$count" "$SOPS" "$@")" "$count" "$unit"
}

repeat() {
  local count=$1 i
  shift
  for ((i = 0; i < count; i++)); do "$@" >/dev/null || return; done
}

# Sealing, opening and changing one value of a file that lies there in the clear.
figures() {
  local file=$1 size=$2 count=$3 path=$4
  "$SOPS" encrypt --age "$recipient" "$file" >"enc.$file"
  both "encrypt $size : sops" "$count" ms encrypt --age "$recipient" "$file"
  memory_row '  greatest memory' "$(peak "$SEAL" encrypt --age "$recipient" "$file")" "$(peak "$SOPS" encrypt --age "$recipient" "$file")"
  both "decrypt $size : sops" "$count" ms decrypt "enc.$file"
  memory_row '  greatest memory' "$(peak "$SEAL" decrypt "enc.$file")" "$(peak "$SOPS" decrypt "enc.$file")"
  both "decrypt --extract, $size : sops" "$count" ms decrypt --extract "$path" "enc.$file"
}

# ---- many files

fill() {
  rm -rf many
  mkdir many
  local i
  for ((i = 0; i < FILES; i++)); do cp enc.small.yaml "many/$i.yaml"; done
}
one_by_one() {
  local i verb=$1
  shift
  for ((i = 0; i < FILES / 10; i++)); do "$SOPS" "$verb" "$@" "many/$i.yaml" || return; done
}

printf '%s beside %s, %s CPUs, best of %s\n' "$("$SEAL" --version)" "$("$SOPS" --version | head -n 1)" "$(nproc)" "$ROUNDS"
printf '\n%-44s %9s %9s %7s %9s %9s %7s\n' '' 'wall' 'sops' 'ratio' 'CPU' 'sops' 'ratio'
yaml 20 >small.yaml
figures small.yaml '1 KB of YAML' 20 '["group0000"]["key00007"]'
yaml 20000 >big.yaml
figures big.yaml '1 MB of YAML, 20,000 values' 1 '["group0100"]["key10007"]'
json 100000 80 >big.json
figures big.json '10 MB of JSON, 100,000 values' 1 '["group00100"]["key010007"]'

tenth=$((FILES / 10))
ours=$(best fill "$SEAL" rotate -i many)
row "rotate $FILES files : sops one by one" "$ours" "$(best fill one_by_one rotate -i | awk -v n="$FILES" -v t="$tenth" '{ print $1 * n / t, $2 * n / t }')" "$FILES" 'ms a file'
printf 'creation_rules:\n  - age: %s,%s\n' "$recipient" "$other" >.sops.yaml
ours=$(best fill "$SEAL" updatekeys many)
row "updatekeys $FILES files : sops one by one" "$ours" "$(best fill one_by_one updatekeys -y | awk -v n="$FILES" -v t="$tenth" '{ print $1 * n / t, $2 * n / t }')" "$FILES" 'ms a file'

printf '\nHow it grows: git-seal alone, CPU milliseconds a megabyte\n'
for megabytes in 1 10 100; do
  json $((megabytes * 10000)) 80 >grow.json
  sealed=$(best nothing "$SEAL" encrypt --age "$recipient" --output grow.enc.json grow.json)
  opened=$(best nothing "$SEAL" decrypt --output grow.out.json grow.enc.json)
  printf '%4d MB: encrypt %6.1f, decrypt %6.1f\n' "$megabytes" \
    "$(awk -v t="${sealed#* }" -v m="$megabytes" 'BEGIN { print 1000 * t / m }')" \
    "$(awk -v t="${opened#* }" -v m="$megabytes" 'BEGIN { print 1000 * t / m }')"
done
