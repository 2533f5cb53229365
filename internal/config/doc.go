// Package config reads what brood is to run: from a TOML file, or from the flags of brood run, which fill the same
// structure.
//
// # Promise
//
//   - A File is what is written, a Config is what it means. FromFile leads from one to the other; Load does all of it for
//     a path. Complete writes the defaults into a File, Encode writes a File as a file: what they come to means the same.
//   - Nothing is ignored: an unknown key, a wrong type, an impossible value and what does not fit together is a Problem,
//     and all are found at once. Only a mistake in the syntax stands alone, because nothing behind it can be understood.
//   - A misspelt key is also read as the key that was meant, so that one mistake is one Problem and not five.
//   - Each Problem of a file says line and column, and quotes the line; each one of a flag names the flag.
//   - The words of a bad secret are not repeated: neither by the message nor by quoting its line.
//   - Reading is all that is done, through World: no socket is opened, no name looked up unless World does, nothing is
//     started. So brood check says offline what brood run would.
//
// # Keys
//
// A key is written as TOML would, from the root: pool.web.rollout.max_surge, pool.web.listen[0], pool."a.b".command. See
// Key. Config.Position finds it in the file again.
//
// # Concurrency
//
// Everything is a value or belongs to its caller. A Config is not changed after it was made and may be shared.
package config
