//go:build !race

package machine

const racing = false
