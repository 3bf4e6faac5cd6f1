# Shared by the scripts beside it; not a program of its own.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One setting everywhere, so that builds, checks and tests share what the compiler has done.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -buildvcs=false"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need PROGRAM WHY: stops, in words, when a program is missing.
need() { command -v "$1" > /dev/null || die "$1 is missing: $2"; }

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

# step NAME COMMAND…: runs it and says how long it took. A failed step does not stop the
# next; finish does, with the list of those that failed.
failed=()
step() {
  local name=$1 began; shift
  began=$(now)
  if ("$@"); then say "ok    $name, $(since "$began") s"
  else failed+=("$name"); say "FAIL  $name, $(since "$began") s"; fi
}
finish() {
  [ ${#failed[@]} -eq 0 ] || die "$(printf 'Failed: %s' "$(IFS=,; echo "${failed[*]}" | sed 's/,/, /g')")"
}

# digest PATH…: one hash over names and contents of all files below the paths.
digest() {
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# fresh STAMP DIGEST: whether the stamp was left with this digest.
fresh() { [ -f ".build/$1" ] && [ "$(cat ".build/$1")" = "$2" ]; }
stamp() { mkdir -p .build && printf '%s\n' "$2" > ".build/$1"; }

# modules KIND: installs the console's npm modules unless they are there. KIND build has
# what a build needs, KIND all also what checking needs.
modules() {
  local lock; lock=$(digest console/package-lock.json)
  if [ -d console/node_modules ]; then
    fresh npm-all "$lock" && return
    [ "$1" = build ] && fresh npm-build "$lock" && return
  fi
  need npm "install Node.js 20.19 or later with npm"
  rm -f .build/npm-all .build/npm-build
  local omit=(); [ "$1" = all ] || omit=(--omit=dev)
  (cd console && npm ci --prefer-offline --no-audit --no-fund --loglevel=error "${omit[@]}") >&2
  stamp "npm-$1" "$lock"
}

# tool NAME: builds the checking tool NAME into .build/tools, as scripts/tools/go.mod fixes it.
tool() {
  local sum; sum=$(digest scripts/tools/go.mod)-$(go env GOVERSION)
  if [ ! -x ".build/tools/$1" ] || ! fresh "tool-$1" "$sum"; then
    mkdir -p .build/tools
    local path; path=$(cd scripts/tools && go list tool | grep "/$1\$")
    (cd scripts/tools && GOFLAGS= go build -o "../../.build/tools/$1" "$path")
    stamp "tool-$1" "$sum"
  fi
}

# table FILE: prints the figures in it, as scripts/bench says how they look, and fails when
# a bound is not held.
table() {
  awk '
    function held(bound, value, ratio,   n, what) {
      if (bound == "-") return ""
      if (bound !~ /^[<>]=[0-9.]+x?$/) return "NOT A BOUND"
      what = bound ~ /x$/ ? ratio : value
      n = substr(bound, 3) + 0
      return (bound ~ /^<=/ ? what + 0 <= n : what + 0 >= n) ? "held" : "NOT HELD"
    }
    BEGIN { row = "%-28s %12s %-7s %12s %-24s %7s %8s  %s\n"; printf row, "figure", "measured", "", "beside", "", "ratio", "bound", "" }
    $1 == "FIGURE" { verdict = held($8, $3, $7); if (verdict ~ /^NOT/) bad = 1
      gsub("_", " ", $2); other = $5 == "-" ? "" : $5; gsub("_", " ", other)
      printf row, $2, $3, ($4 == "-" ? "" : $4), ($6 == "-" ? "" : $6), other, ($7 == "-" ? "" : $7), ($8 == "-" ? "" : $8), verdict }
    END { exit bad }' "$1"
}
