# Starts a host and cleans up after it: boot.sh CGROUP INIT DIR
# Standard input is the lifeline: when the test closes it, or dies, the host ends.
# Descriptor 3 gets the process id of the host's process 1 as this machine sees it.
set -eu
cgroup=$1 init=$2 dir=$3
trap '' HUP INT TERM

mkdir "$cgroup"
# In its own cgroup first: the cgroup namespace takes root where it is made.
sh -c '
	echo $$ >"$1/cgroup.procs"
	exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child=KILL \
		--mount --propagation private --cgroup --net --uts --ipc sh -c "$2" init "$3"
' boot "$cgroup" "$init" "$dir/notify" </dev/null &
child=$!
exec 3>&-

cat >/dev/null

# Not the waiting unshare but its child: process 1 takes all others with it, and
# unshare ends only when all of them are gone.
pkill -KILL -P "$child" || kill -KILL "$child" || true
wait "$child" || true
# A test that is alive wants to read the log, and removes the folder itself.
[ "$PPID" = "$(ps -o ppid= -p $$ | tr -d ' ')" ] || rm -rf "$dir"
tries=0
while ! find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && [ $tries -lt 100 ]; do
	echo 1 >"$cgroup/cgroup.kill" || true
	tries=$((tries + 1))
	sleep 0.02 # the kernel empties a cgroup a moment after its last process is reaped
done
[ ! -e "$cgroup" ]
