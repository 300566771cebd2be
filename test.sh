#!/usr/bin/env bash
# Installs what the tests need and is missing, builds with warnings as errors and runs every suite.
# Arguments go to `dotnet test`, for example: ./test.sh --filter FullyQualifiedName~Calls
# The last line is "N passed, N failed, N skipped"; the exit code is 0 only if all that ran passed and something ran.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

configuration=${CONFIGURATION:-Release}
results=$PWD/artifacts/test-results
peers=src/Gateway.Tests/Peers
passed=0 failed=0 skipped=0

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# A step that the suites stand on: without it nothing can pass, so it counts as one failure.
need() {
  "$@" && return
  echo "test.sh: failed: $*" >&2
  failed=$((failed + 1))
  finish
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_system_packages() {
  local missing=()
  /usr/bin/python3 -c 'import zmq' 2>/dev/null || missing+=(python3-zmq)
  ldconfig -p | grep -q 'libsodium\.so\.23' || missing+=(libsodium23)
  command -v chromium >/dev/null || missing+=(chromium)
  # The page shows a service in C++, and a test does as it says.
  command -v g++ >/dev/null || missing+=(g++)
  [ -e /usr/include/zmq.hpp ] || missing+=(cppzmq-dev)
  command -v npm >/dev/null || missing+=(nodejs npm)
  [ ${#missing[@]} -eq 0 ] && return
  as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_node_peers() {
  # npm leaves a copy of the lock file in node_modules: newer than ours means that what is installed is current.
  [ "$peers/node_modules/.package-lock.json" -nt "$peers/package-lock.json" ] && return
  (cd "$peers" && npm ci --no-audit --no-fund)
}

counter() { # trx file, attribute of <Counters>
  grep -o '<Counters [^>]*' "$1" | grep -o " $2=\"[0-9]*\"" | grep -o '[0-9]\+'
}

run_suite() { # project, further arguments of dotnet test
  local project=$1 name status total executed succeeded
  shift
  name=$(basename "$project" .csproj)
  timeout --kill-after=30 1200 dotnet test "$project" --configuration "$configuration" --no-build --nologo \
    --results-directory "$results" --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
    --blame-hang-timeout 5m --blame-hang-dump-type none "$@"
  status=$?
  if [ ! -s "$results/$name.trx" ]; then
    echo "test.sh: $name left no results (exit code $status)" >&2
    failed=$((failed + 1))
    return
  fi

  total=$(counter "$results/$name.trx" total)
  executed=$(counter "$results/$name.trx" executed)
  succeeded=$(counter "$results/$name.trx" passed)
  passed=$((passed + succeeded))
  failed=$((failed + executed - succeeded))
  skipped=$((skipped + total - executed))
  # A suite that crashed or hung may have reported nothing but passed tests: its exit code says otherwise.
  if [ "$status" -ne 0 ] && [ "$executed" -eq "$succeeded" ]; then
    echo "test.sh: $name ended with exit code $status" >&2
    failed=$((failed + 1))
  fi
}

need install_system_packages
need install_node_peers
need dotnet build Gateway.sln --configuration "$configuration" --nologo --verbosity quiet
rm -rf "$results"
for project in src/*.Tests/*.csproj; do run_suite "$project" "$@"; done
finish
