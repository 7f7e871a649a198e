# What the tests of web clients share, for bash: `. ../browser/start.sh`. Starts a server and ends it with the script;
# installs what drives the browser.

browser=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
log=$work/server.log
server=

stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

# Installs Playwright's driver, without a browser of its own. Modules are found where the scripts are.
install_driver() {
  local stamp=$browser/node_modules/.installed
  cmp -s "$browser/package-lock.json" "$stamp" && return
  npm ci --prefix "$browser" --ignore-scripts --no-audit --no-fund --loglevel=error
  cp "$browser/package-lock.json" "$stamp"
}

# Starts a server that says `listening on URL`, from an empty folder; sets SERVER_URL.
start_server() {
  (cd "$work" && exec "$@") >"$log" 2>&1 &
  server=$!
  SERVER_URL=
  for _ in $(seq 200); do
    SERVER_URL=$(sed -n 's/.*listening on \(http[^ ]*\).*/\1/p' "$log" | tail -n 1)
    [ -z "$SERVER_URL" ] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  echo "the server does not listen:" >&2
  cat "$log" >&2
  return 1
}

# Runs a test in Node; shows the server's log if it fails, or if the server has panicked.
drive() {
  if ! node "$@" || grep -n 'panicked at' "$log"; then
    cat "$log" >&2
    return 1
  fi
}
