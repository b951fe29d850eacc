#!/bin/sh
# Requests per second and CPU time per request: the gateway beside a bare pingora passthrough.
#
#   benches/compare.sh [SECONDS] [CONNECTIONS]
#
# Takes wrk, oha or ab, whichever is installed first. BENCH names a built `passthrough` binary; without
# it one is built with optimisation.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-10}
connections=${2:-32}

bench=${BENCH:-}
if [ -z "$bench" ]; then
    bench=$(cargo bench --bench passthrough --no-run --message-format=json |
        sed -n 's/.*"executable":"\([^"]*passthrough[^"]*\)".*/\1/p' | tail -1)
fi
for tool in wrk oha ab; do
    command -v "$tool" >/dev/null && break
    tool=
done
[ -n "$tool" ] || { echo "none of wrk, oha and ab is installed" >&2; exit 1; }

processes=
trap 'for process in $processes; do kill -9 "$process" 2>/dev/null || true; done' EXIT

start() { # role, port, upstream's port
    "$bench" "$@" >/dev/null 2>&1 &
    started=$!
    processes="$processes $started"
    tries=0
    until curl -so /dev/null "http://127.0.0.1:$2/"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo "$1 does not answer on port $2" >&2; exit 1; }
        sleep 0.1
    done
}

cpu() { # a process's user and system time in clock ticks
    sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

requests() { # the port; prints how many requests were answered
    url="http://127.0.0.1:$1/"
    case $tool in
    wrk) wrk -t1 -c"$connections" -d"${seconds}s" "$url" | awk '/requests in/ { print $1 }' ;;
    oha) oha --no-tui -c "$connections" -z "${seconds}s" "$url" |
        awk '/\[200\]/ { print $2 }' ;;
    ab) ab -k -q -c "$connections" -t "$seconds" -n 10000000 "$url" 2>/dev/null |
        awk '/Complete requests/ { print $3 }' ;;
    esac
}

start upstream 18080
printf '%-10s %12s %20s\n' "" "requests/s" "CPU µs per request"
port=18081
for role in bare gateway; do
    start "$role" "$port" 18080
    before=$(cpu "$started")
    count=$(requests "$port")
    after=$(cpu "$started")
    awk -v role="$role" -v count="$count" -v ticks="$((after - before))" -v hertz="$(getconf CLK_TCK)" \
        -v seconds="$seconds" 'BEGIN {
            printf "%-10s %12.0f %20.1f\n", role, count / seconds, ticks / hertz * 1e6 / count
        }'
    kill -9 "$started"
    port=$((port + 1))
done
