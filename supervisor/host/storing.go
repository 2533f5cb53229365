package host

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/fdstore"
	"github.com/broodctl/brood/listener"
)

// update stores what has come, and takes out what has gone.
func (k *kept) update() error {
	h, err := k.set.Hand()
	if err != nil {
		return err
	}
	h.Spare = nil // the manager has them anyway
	wanted := k.choose(&h)
	if len(wanted) == 0 && !k.recorded {
		return nil
	}
	if err := k.forget(wanted); err != nil {
		return err
	}
	for _, one := range wanted {
		if err := k.add(one); err != nil {
			return err
		}
	}
	return k.write(h)
}

// write makes a description the record, which is written in place once it is stored.
func (k *kept) write(h listener.Handed) error {
	text, err := json.Marshal(storeRecord{Sockets: h})
	if err != nil {
		return fmt.Errorf("cannot describe sockets: %w", err)
	}
	if k.record == nil {
		if k.record, err = fdstore.NewRecord(); err != nil {
			return err
		}
	}
	if err := k.record.Write(text); err != nil {
		return err
	}
	if k.recorded {
		return nil
	}
	var files []fdstore.File
	for _, fd := range k.record.FDs() {
		f, err := fdstore.FileOf(fd)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	if err := k.store.Add(recordName, files); err != nil {
		return err
	}
	k.recorded = true
	return nil
}

// choose takes listeners out of a description that have nothing to store, or do not fit, and returns what is to be stored
// of each of the others.
func (k *kept) choose(h *listener.Handed) [][]fdstore.File {
	used, needed := recordFiles, recordFiles
	var wanted [][]fdstore.File
	k.unkept = nil
	h.Listeners = slices.DeleteFunc(h.Listeners, func(l listener.HandedListener) bool {
		var files []fdstore.File
		for _, d := range l.Own() {
			files = append(files, fdstore.File{FD: d.FD, Dev: d.Dev, Inode: d.Inode})
		}
		needed += len(files)
		fits := used+len(files) <= k.room
		if !fits || l.File != nil && !k.sure { // a file that is left would be left for nothing
			k.unkept = append(k.unkept, l.Config.Name)
		}
		if len(files) == 0 || !fits {
			return true
		}
		used += len(files)
		wanted = append(wanted, files)
		return false
	})
	if needed > recordFiles {
		k.tell(needed)
	}
	return wanted
}

// tell says when the store has not enough room.
func (k *kept) tell(needed int) {
	if needed <= k.room || needed == k.told {
		return
	}
	k.told = needed
	level, message := zerolog.WarnLevel, "queues of connections end with this process: FileDescriptorStoreMax= of the unit is too small"
	if k.room == 0 { // nobody has asked for it
		level, message = zerolog.InfoLevel, "queues of connections end with this process: the unit has no FileDescriptorStoreMax="
	}
	k.log.WithLevel(level).Int("needed", needed).Int("room", k.room).Strs("listeners", k.unkept).Msg(message)
}

// forget takes out of the store what no listener has any more.
func (k *kept) forget(wanted [][]fdstore.File) error {
	alive := map[string]bool{}
	for _, files := range wanted {
		for _, f := range files {
			alive[k.names[item{f.Dev, f.Inode}]] = true
		}
	}
	dead := map[string]bool{}
	for _, name := range k.names {
		dead[name] = !alive[name]
	}
	for name, is := range dead {
		if !is {
			continue
		}
		if err := k.store.Remove(name); err != nil {
			return err
		}
		for one, has := range k.names {
			if has == name {
				delete(k.names, one)
			}
		}
	}
	return nil
}

// add stores what the store has not of one listener.
func (k *kept) add(files []fdstore.File) error {
	files = slices.DeleteFunc(slices.Clone(files), func(f fdstore.File) bool { return k.names[item{f.Dev, f.Inode}] != "" })
	for some := range slices.Chunk(files, fdstore.MaxFiles) {
		k.last++
		name := listener.StorePrefix + strconv.Itoa(k.last)
		if err := k.store.Add(name, some); err != nil {
			return err
		}
		for _, f := range some {
			k.names[item{f.Dev, f.Inode}] = name
		}
	}
	return nil
}

// numberOf is the number that a name is; 0 if it is none of ours.
func numberOf(name string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(name, listener.StorePrefix))
	if err != nil {
		return 0
	}
	return n
}
