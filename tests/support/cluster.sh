# A throw-away Postgres cluster that lives as long as standard input stays open.
#   $1 the folder with initdb, postgres and pg_ctl   $2 a free loopback port
# Prints "ready", or "failed" and the log. Then each line of standard input is a request, answered
# with "done": `crash` ends the server as a power cut would and starts it again, `standby PORT`
# starts another one that follows it. Ends, and leaves nothing, when standard input closes.
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

# run <data folder> <port>
run() {
    as pg_ctl -D "$1" -l "$folder/server.log" -w -t 60 start -o "-p $2 \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder' \
        -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200"
}
start() {
    as initdb -D "$folder/data" -A trust -U dashtam --no-sync --encoding=UTF8 --locale=C &&
        run "$folder/data" "$port"
}
if start </dev/null >"$log" 2>&1; then
    echo ready
else
    echo failed
    cat "$log" "$folder/server.log" 2>/dev/null
fi
exec 2>/dev/null

while read -r request argument; do
    case $request in
        crash)
            as pg_ctl -D "$folder/data" -m immediate -w -t 20 stop
            run "$folder/data" "$port"
            ;;
        standby)
            as pg_basebackup -D "$folder/standby" -R -c fast --no-sync -h 127.0.0.1 -p "$port" \
                -U dashtam && run "$folder/standby" "$argument"
            ;;
    esac </dev/null >"$log" 2>&1
    echo "done"
done
[ ! -d "$folder/standby" ] || as pg_ctl -D "$folder/standby" -m immediate -w -t 20 stop >/dev/null
exec >/dev/null
as pg_ctl -D "$folder/data" -m immediate -w -t 20 stop
cd /
rm -rf "$folder"
