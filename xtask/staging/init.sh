#!/bin/bash
# The first process of the standby's machine in tier vm. Its file system is that of the machine below,
# which it may only read, but for the stack's folder; the storage is mounted over the network.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
for folder in /run /mnt /var/tmp /var/log /dev/shm; do
    mkdir -p "$folder" && mount -t tmpfs tmpfs "$folder"
done
mkdir -p /dev/pts /run/sshd && mount -t devpts devpts /dev/pts
# What a person has in a shell of this machine is not for those who come by SSH.
for file in .bashrc .bash_profile .profile; do
    [ -e "$HOME/$file" ] && mount --bind /dev/null "$HOME/$file"
done
mount -t hostfs -o @folder@ none @folder@
ip link set lo up
ip address add @app2@/24 dev vec0
ip link set vec0 up
modprobe -d @folder@/vm nfsv4
mount -t nfs4 -o vers=4.2,proto=tcp,hard,timeo=50,noresvport,actimeo=1 @app1@:/storage @folder@/storage
/usr/sbin/sshd -f @folder@/vm/sshd_config
prometheus-node-exporter --web.listen-address=@app2@:9100 --collector.disable-defaults \
    --collector.cpu --collector.meminfo &
@xtask@ staging machine app2 --guest &
machine=$!
shut_down() {
    kill -TERM "$machine"
    wait "$machine"
    umount -l @folder@/storage
    halt -f
}
trap shut_down INT
# Takes the power button: the machine is up.
echo 0 > /proc/sys/kernel/ctrl-alt-del
while :; do sleep 1 & wait $!; done
