# Run by mmdebstrap with the new root as $1: makes it boot fast and clean, and each node its own machine.
set -eu
root=$1
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/hostname" "$root/etc/resolv.conf"
: > "$root/etc/machine-id"
# Nodes share the host's keys and pids and have no v2 controllers: Podman's own default limits cannot be set.
mkdir -p "$root/etc/containers"
printf '[containers]\ndefault_ulimits=["nofile=20000:20000","nproc=4096:4096"]\npids_limit=0\n' \
    > "$root/etc/containers/containers.conf"
# What would only cost time in a test, or fail without hardware and leave the node "degraded".
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer e2scrub_all.timer \
    fstrim.timer systemd-modules-load.service netavark-dhcp-proxy.service netavark-dhcp-proxy.socket; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# Tests start these themselves.
for unit in docker-registry openvpn tor caddy; do
    chroot "$root" systemctl disable -q "$unit" 2>/dev/null || true
done
touch "$root/etc/.updated" "$root/var/.updated"
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/var/cache/apt/archives/*.deb "$root"/home/*
mkdir -p "$root/var/lib/holm"
