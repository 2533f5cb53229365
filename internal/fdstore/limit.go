package fdstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// Limit is how many descriptors the manager stores for the service, in all; known is false when nobody tells. systemd says
// it from version 254 on in FDSTORE, and an older one through systemctl,
// which run runs: it returns what that has written. cgroup is the text of /proc/self/cgroup.
func Limit(ctx context.Context, fdstore, cgroup string, run func(ctx context.Context, argv ...string) (string, error)) (limit int, known bool) {
	if n, err := strconv.Atoi(fdstore); err == nil {
		return n, true
	}
	unit, user := Unit(cgroup)
	if unit == "" {
		return 0, false
	}
	argv := []string{"systemctl", "show", "--property=FileDescriptorStoreMax", "--value", "--", unit}
	if user {
		argv = slices.Insert(argv, 1, "--user")
	}
	said, err := run(ctx, argv...)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(said))
	return n, err == nil
}

// Unit finds our service in the text of /proc/self/cgroup, "" if there is none, and tells whether it is one of a user's
// own manager.
func Unit(cgroup string) (unit string, user bool) {
	for line := range strings.Lines(cgroup) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 || fields[1] != "" && fields[1] != "name=systemd" {
			continue
		}
		var services []string
		for part := range strings.SplitSeq(fields[2], "/") {
			if strings.HasSuffix(part, ".service") {
				services = append(services, part)
			}
		}
		if n := len(services); n > 0 {
			return services[n-1], n > 1 && strings.HasPrefix(services[n-2], "user@")
		}
	}
	return "", false
}
