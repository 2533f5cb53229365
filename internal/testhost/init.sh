# Becomes process 1 of a host: init NOTIFY. All mounts belong to this namespace.
set -eu
notify=$1
# /proc is still this machine's, so that the number is the one it knows us by.
read -r pid rest </proc/self/stat
echo "$pid" >&3
exec 3>&-

lab=/mnt
mount -t tmpfs -o mode=755 brood-testhost $lab
mkdir $lab/upper $lab/work $lab/root
mount -t overlay -o lowerdir=/,upperdir=$lab/upper,workdir=$lab/work overlay $lab/root
root=$lab/root
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t cgroup2 -o nsdelegate cgroup2 $root/sys/fs/cgroup
mount -t tmpfs -o mode=755 run $root/run
mount -t tmpfs -o mode=1777 tmp $root/tmp
mount -t tmpfs -o mode=755 dev $root/dev
for node in null zero full random urandom tty; do
	: >$root/dev/$node
	mount --bind /dev/$node $root/dev/$node
done
mkdir $root/dev/pts $root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts $root/dev/pts
mount -t tmpfs -o mode=1777 shm $root/dev/shm
ln -s pts/ptmx $root/dev/ptmx
ln -s /proc/self/fd $root/dev/fd
ln -s /proc/self/fd/0 $root/dev/stdin
ln -s /proc/self/fd/1 $root/dev/stdout
ln -s /proc/self/fd/2 $root/dev/stderr
: >$root/run/testhost-notify
mount --bind "$notify" $root/run/testhost-notify
ip link set lo up

: >$root/etc/fstab
units=$root/etc/systemd/system
# What would touch the kernel that we share, wait for devices, or slow the boot.
for unit in systemd-sysctl.service systemd-modules-load.service systemd-binfmt.service \
	systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
	systemd-udev-trigger.service systemd-udev-settle.service systemd-random-seed.service \
	systemd-remount-fs.service systemd-pstore.service systemd-hwdb-update.service \
	systemd-sysusers.service systemd-firstboot.service systemd-machine-id-commit.service \
	systemd-journal-flush.service systemd-journal-catalog-update.service ldconfig.service \
	systemd-tmpfiles-setup-dev.service systemd-tmpfiles-clean.timer \
	systemd-networkd.service systemd-networkd.socket systemd-network-generator.service \
	systemd-resolved.service systemd-timesyncd.service systemd-logind.service \
	networking.service nftables.service apparmor.service keyboard-setup.service \
	console-setup.service getty.target console-getty.service \
	dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
	sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
	ln -sf /dev/null $units/$unit
done

cd $root
pivot_root . mnt
cd /
umount -l /mnt
# As every container manager does: systemd gives a service its credentials by a mount that must reach it.
mount --make-rshared /
exec env -i container=testhost PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	NOTIFY_SOCKET=/run/testhost-notify \
	/lib/systemd/systemd --system --unit=basic.target --log-target=console --log-level=warning --show-status=0
