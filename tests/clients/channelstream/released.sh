# The released package, for bash: `. released.sh`. Fetches it, and can run its server.

readonly VERSION=0.7.1
readonly SHA256=fbd82819ea58812ac92d68e9df9f7290f8a51846f3566876a1ad44b51b1d52ea

released=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${CACHE:-$released/../../../.cache}/channelstream
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
export CHANNELSTREAM_SECRET=dev-secret

# Makes a virtual environment with packages; what it has is written down when it is complete.
environment() {
  local folder=$1 stamp
  shift
  stamp=$(printf '%s\n' "$@" | cat - "$released/requirements.txt" | sha256sum)
  [ "$(cat "$folder/.installed" 2>/dev/null)" = "$stamp" ] && return
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet "$@"
  printf '%s\n' "$stamp" >"$folder/.installed"
}

# Unpacks a part of the package's source into a folder.
unpack() {
  local folder=$1 archive=$cache/channelstream-$VERSION.tar.gz
  shift
  if ! echo "$SHA256  $archive" | sha256sum --check --status 2>/dev/null; then
    environment "$cache/tests" -r "$released/requirements.txt"
    "$cache/tests/bin/pip" download --quiet --no-deps --no-binary :all: --require-hashes --dest "$cache" \
      --requirement /dev/stdin <<<"channelstream==$VERSION --hash=sha256:$SHA256"
  fi
  tar -xzf "$archive" -C "$folder" --strip-components=1 --wildcards "$@"
}

# Sets `command` to what starts the server that the arguments name: the original, or a switchboard with its flags.
server_command() {
  if [ "$1" = --original ]; then
    environment "$cache/original" "channelstream==$VERSION"
    command=("$cache/original/bin/python" "$released/original.py" 0 "$CHANNELSTREAM_SECRET")
    return
  fi
  local binary
  binary=$(realpath "$1")
  shift
  [ $# -gt 0 ] || set -- --memory
  command=("$binary" serve "$@" --port 0)
}
