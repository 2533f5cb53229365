// Package units writes the units of systemd(1) that run a configuration: a service, and the sockets that systemd opens
// for it.
//
// # Promise
//
//   - Render is pure: the same configuration and options give the same text. It opens nothing and looks nobody up, so the
//     units of one machine can be written on another.
//   - The units say no more than the configuration needs: the user of its pools, a capability only where something fails
//     without it, the time that its pools take to start and to stop, descriptors for its sockets. Comments say why.
//   - systemd reads every name, path and argument as it was written in the configuration: see Quote. What its files cannot
//     express is an error.
//   - They work with systemd 247 and newer.
//
// Functions may be called from any goroutine.
package units
