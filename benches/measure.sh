# Measuring, for the scripts beside it: sourced, not run. ROUNDS says how often each figure is taken; the best round counts.
# shellcheck shell=bash

# Wall and CPU seconds of one command.
once() {
  local TIMEFORMAT='%R %U %S'
  { time "$@" >/dev/null 2>&1 || printf 'failed '; } 2>&1 | awk '{ if ($1 == "failed" || $NF == "failed") exit 1; print $1, $2 + $3 }'
}

# Best wall and best CPU seconds of a command over all rounds. $1 = what to do before each round.
best() {
  local prepare=$1 round
  shift
  for ((round = 1; round <= ROUNDS; round++)); do
    "$prepare" "$round" >/dev/null 2>&1
    once "$@" || { printf 'benches/run.sh: failed: %s\n' "$*" >&2; return 1; }
  done | awk 'NR == 1 || $1 < wall { wall = $1 } NR == 1 || $2 < cpu { cpu = $2 } END { print wall, cpu }'
}

nothing() { :; }

# One row: name, our "wall cpu", theirs, by how many the times are divided, unit of the quotient.
row() {
  awk -v name="$1" -v ours="$2" -v theirs="$3" -v by="$4" -v unit="$5" '
    function ratio(a, b) { return b > 0 ? sprintf("%.2f", a / b) : "-" }
    BEGIN {
      split(ours, o, " "); split(theirs, t, " "); scale = 1000 / by
      printf "%-44s %9.3f %9.3f %7s %9.3f %9.3f %7s  %s\n", name,
        o[1] * scale, t[1] * scale, ratio(o[1], t[1]), o[2] * scale, t[2] * scale, ratio(o[2], t[2]), unit
    }'
}

# Greatest memory in use, in KiB.
peak() {
  if [ -x /usr/bin/time ]; then
    /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1
  else
    echo 0
  fi
}

# The greatest memory of two commands beside each other, each a function or program with its arguments in one word.
memory_row() {
  awk -v name="$1" -v ours="$2" -v theirs="$3" 'BEGIN {
    if (ours > 0 && theirs > 0) printf "%-44s %9.1f %9.1f %7.2f  MiB\n", name, ours / 1024, theirs / 1024, ours / theirs
    else print name ": not measured, no GNU time here"
  }'
}
