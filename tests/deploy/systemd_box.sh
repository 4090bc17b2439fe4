#!/bin/sh
# Boots systemd as process 1 of namespaces of its own: "unshare … systemd_box.sh SCRATCH REPOSITORY VENV".
# Its root is this machine's under an overlay in memory, so nothing that happens in it stays. The repository is
# at /mnt/repository, the virtual environment at /mnt/venv.
set -eu
scratch=$1 repository=$2 venv=$3
root=$scratch/root

mount --make-rprivate /
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mkdir -p "$root/mnt/repository" "$root/mnt/venv" "$root/old-root"
mount --bind "$repository" "$root/mnt/repository"
mount --bind "$venv" "$root/mnt/venv"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/unified" "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd"
fi
ip link set lo up

# the kernel is shared: its settings and modules stay as they are, and no other service starts
rm -rf "$root"/etc/systemd/system/*.wants
for unit in systemd-sysctl systemd-modules-load systemd-binfmt systemd-udevd systemd-udev-trigger; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
cd "$root"
pivot_root . old-root
umount -l /old-root
exec /usr/bin/env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=basic.target --show-status=0 --log-target=console
