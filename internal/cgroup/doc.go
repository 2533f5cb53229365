// Package cgroup gives each worker a control group of version 2 of its own, where brood was given a subtree to manage:
// by Delegate=yes of systemd.resource-control(5), or by being root.
package cgroup
