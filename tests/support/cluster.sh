# A throw-away Postgres cluster that lives as long as standard input stays open.
#   $1 the folder with initdb, postgres and pg_ctl   $2 a free loopback port
# Prints "ready", or "failed" and the log. Ends, and leaves nothing, when standard input closes.
set -u
# A closed terminal, Ctrl-C and a reader that is gone must not keep it from cleaning up.
trap '' INT HUP TERM PIPE
programs=$1
port=$2
export LC_ALL=C PATH="$programs:$PATH"
unset PGDATA PGHOST PGPORT PGUSER PGDATABASE PGOPTIONS PGPASSWORD PGSERVICE

# Postgres refuses to run as root: then it runs as another user, in a folder that user can reach.
as() { "$@"; }
base=${TMPDIR:-/tmp}
owner=
if [ "$(id -u)" = 0 ]; then
    base=/tmp
    owner=postgres
    id "$owner" >/dev/null 2>&1 || owner=nobody
    if command -v setpriv >/dev/null; then
        as() { setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups -- "$@"; }
    elif command -v runuser >/dev/null; then
        as() { runuser -u "$owner" -- "$@"; }
    else
        as() { su -s /bin/sh -c 'exec "$0" "$@"' "$owner" -- "$@"; }
    fi
fi

folder=$(mktemp -d "$base/dashtam-pg.XXXXXX") || exit 1
log=$folder/log
cd "$folder" || exit 1
[ -z "$owner" ] || chown "$owner" "$folder"

start() {
    as initdb -D "$folder/data" -A trust -U dashtam --no-sync --encoding=UTF8 --locale=C &&
        as pg_ctl -D "$folder/data" -l "$folder/server.log" -w -t 60 start -o "-p $port \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder' \
            -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200"
}
if start </dev/null >"$log" 2>&1; then
    echo ready
else
    echo failed
    cat "$log" "$folder/server.log" 2>/dev/null
fi
exec >/dev/null 2>&1

cat # until the tests are gone
as pg_ctl -D "$folder/data" -m immediate -w -t 20 stop
cd /
rm -rf "$folder"
