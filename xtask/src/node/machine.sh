# Keeps one node: mounts its root, then runs nspawn, again each time the node reboots.
# It has its own mount namespace, so whatever way it ends, no mount is left on the host.
set -eu
name=$1 dir=$2 base=$3 cgroup=$4 router=$5 index=$6 net4=$7 net6=$8

mount -t overlay holm-node -o "lowerdir=$base,upperdir=$dir/upper,workdir=$dir/work,xino=off" "$dir/root"
[ ! -e "$dir/disk.img" ] || mount -o loop "$dir/disk.img" "$dir/disk"
mkdir -p "$dir/disk/home" "$dir/disk/holm"
# Only the unified hierarchy may be seen, or nspawn would give the node the old ones.
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup

# A new network namespace for each boot: what was set in the last one (sysctls, nft, routes) must not survive.
plug() {
    umount "$dir/net" 2>/dev/null || true
    : > "$dir/net"
    unshare --net="$dir/net" true
    ip -n "$router" link del "v$index" 2>/dev/null || true
    nsenter --net="$dir/net" ip link add eth0 address "$(printf "02:00:c6:12:00:%02x" "$index")" type veth peer name "v$index" netns "$router"
    ip -n "$router" link set "v$index" master br0 up
    nsenter --net="$dir/net" sh -euc '
        ip link set lo up
        ip link set eth0 up
        ip addr add "$1.$3/24" dev eth0
        ip -6 addr add "$2::$3/64" dev eth0 nodad
        ip route add default via "$1.1"
        ip -6 route add default via "$2::1"' sh "$net4" "$net6" "$index"
}

while :; do
    plug
    status=0
    (
        echo 0 > "/sys/fs/cgroup/$cgroup/machine/cgroup.procs"
        export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network # else /proc/sys/net is read-only
        exec systemd-nspawn -q --register=no --keep-unit -D "$dir/root" -M "$name" \
            --network-namespace-path="$dir/net" \
            --capability=all --drop-capability=CAP_SYS_RESOURCE --system-call-filter="@keyring bpf" \
            --bind=/dev/net/tun --bind=/dev/fuse \
            --bind="$dir/disk/home:/home" --bind="$dir/disk/holm:/var/lib/holm" \
            --bind-ro="$dir/hosts:/etc/hosts" --bind-ro="$dir/resolv.conf:/etc/resolv.conf" \
            --resolv-conf=off --timezone=off --link-journal=no --console=read-only -b
    ) || status=$?
    echo "nspawn ended: $status"
    [ "$status" = 133 ] || break # 133: the node asks for a reboot
done
