# A gateway in a network namespace of its own, with a service's network (s1, s2 in further namespaces).
# Arguments: the gateway's program, a folder with config/current. Prints "ok" at the end.
set -eu
gateway=$1 folder=$2
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

ip link set lo up
leg() { # number, the gateway's address, the service's address and mac
    unshare -n sleep 600 & pid=$!
    while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    ip link add "$1" type veth peer name eth0 netns "$pid"
    ip addr add "$2/28" dev "$1"
    ip link set "$1" up
    nsenter -t "$pid" -n sh -c "ip link set lo up; ip link set eth0 address $4 up; ip addr add $3/28 dev eth0; ip route add default via $2"
}
leg s1 172.20.0.18 172.20.0.19 02:00:ac:14:00:13; one=$pid
leg s2 172.20.0.34 172.20.0.35 02:00:ac:14:00:23; two=$pid
echo 1 >/proc/sys/net/ipv4/ip_forward
nsenter -t "$two" -n python3 -m http.server 80 --bind 172.20.0.35 >/dev/null 2>&1 &
nsenter -t "$two" -n python3 -m http.server 81 --bind 172.20.0.35 >/dev/null 2>&1 &

"$gateway" run --config-dir "$folder/config" --run-dir "$folder/run" \
    --router-socket "$folder/router.sock" --nft "$(command -v nft)" --hold 20 &
gateway_pid=$!
while ! [ -e "$folder/run/live/two.00112233445566aa" ]; do sleep 0.02; done

ask() { # pid, resolver: exit code of a lookup of "web"
    nsenter -t "$1" -n python3 - "$2" <<'P'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5)
q = b"\0\1\1\0\0\1\0\0\0\0\0\0\3web\0\0\1\0\1"
try:
    s.sendto(q, (sys.argv[1], 53)); answer = s.recvfrom(512)[0]
except OSError:
    sys.exit(1)
sys.exit(0 if answer[3] & 15 == 0 and answer[7] == 1 else 2)
P
}
reach() { nsenter -t "$1" -n python3 -c "import socket; socket.create_connection(('$2', $3), 0.5)" 2>/dev/null; }
must() { "$@" || { echo "failed: $*" >&2; exit 1; }; }
never() { if "$@"; then echo "passed, but must not: $*" >&2; exit 1; fi; }

# The route's backend answers through the router, and asking for names works.
must [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$folder/router.sock" http://two.alice.test/)" = 200 ]
must ask "$one" 172.20.0.18
must ask "$two" 172.20.0.34

# Nothing else: another leg's resolver, another port of the gateway, another service, an undeclared port.
python3 -m http.server 8080 --bind 0.0.0.0 >/dev/null 2>&1 &
while ! python3 -c "import socket; socket.create_connection(('127.0.0.1', 8080), 1)" 2>/dev/null; do sleep 0.02; done
while ! nsenter -t "$two" -n python3 -c "import socket; socket.create_connection(('172.20.0.35', 81), 1)" 2>/dev/null; do sleep 0.02; done
never ask "$one" 172.20.0.34
must reach "$one" 172.20.0.18 53
never reach "$one" 172.20.0.34 53
never reach "$one" 172.20.0.18 8080
never reach "$one" 172.20.0.35 80
never reach "$$" 172.20.0.35 81

# Another address, and another hardware address, than the pinned ones.
nsenter -t "$one" -n sh -c "ip addr del 172.20.0.19/28 dev eth0; ip addr add 172.20.0.20/28 dev eth0; ip route add default via 172.20.0.18"
never reach "$one" 172.20.0.18 53
nsenter -t "$two" -n ip link set eth0 address 02:00:ac:14:00:24
never ask "$two" 172.20.0.34
case $(nft list counter inet holm not_pinned) in *"packets 0 "*) echo "not counted" >&2; exit 1 ;; esac
case $(nft list counter inet holm no_forward) in *"packets 0 "*) echo "not counted" >&2; exit 1 ;; esac

# The end of the gateway is not the end of its policy.
kill "$gateway_pid"
wait "$gateway_pid"
nft list chain inet holm passing | grep -q "policy drop"
echo ok
